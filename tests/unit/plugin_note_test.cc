// The ELF reader on a real plugin: cut off, damaged, replaced.
#include "plugin_note.h"

#include <drydock/stage.h>
#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <random>
#include <sstream>

#include "plugin_words.h"
#include "worker_world.h"

namespace drydock {
namespace {

std::string sample() {
  std::ostringstream bytes;
  bytes << std::ifstream(SAMPLE_PLUGIN, std::ios::binary).rdbuf();
  return bytes.str();
}

// Reads in memory, and fails the test when it is asked for bytes outside.
std::variant<PluginNote, NoPluginNote> read(const std::string& file) {
  return read_plugin_note(ReadAt([&file](std::uint64_t offset, void* into, std::size_t size) {
    if (offset > file.size() || file.size() - offset < size) return false;
    std::memcpy(into, file.data() + offset, size);
    return true;
  }));
}

TEST(PluginNote, IsReadFromARealPlugin) {
  const auto note = read(sample());
  ASSERT_TRUE(std::holds_alternative<PluginNote>(note));
  EXPECT_EQ(std::get<PluginNote>(note).id, "test.worker");
  EXPECT_EQ(std::get<PluginNote>(note).version, "1.2.3");
  EXPECT_EQ(abi_refusal("x.so", std::get<PluginNote>(note).abi_major,
                        std::get<PluginNote>(note).abi_minor),
            "");
}

TEST(PluginNote, AFileThatIsCutOffHasNone) {
  const std::string whole = sample();
  for (std::size_t size = 0; size < whole.size(); size += 64) {
    EXPECT_TRUE(std::holds_alternative<NoPluginNote>(read(whole.substr(0, size)))) << size;
  }
}

TEST(PluginNote, NoDamageDoesHarm) {
  const std::string whole = sample();
  std::mt19937 random(3);
  Elf64_Ehdr header;
  std::memcpy(&header, whole.data(), sizeof header);
  const std::size_t sections = header.e_shnum * sizeof(Elf64_Shdr);
  for (int turn = 0; turn < 20000; ++turn) {
    std::string damaged = whole;
    // Where offsets, sizes and counts are: the header and the section headers.
    const std::size_t at =
        turn % 2 == 0 ? random() % sizeof header : header.e_shoff + random() % sections;
    damaged[at] = static_cast<char>(random());
    read(damaged);
  }
}

TEST(PluginNote, OtherFilesAreNamedForWhatTheyAre) {
  TemporaryFolder folder;
  const auto reason = [](const std::string& path) {
    const auto note = read_plugin_note(path);
    return std::holds_alternative<NoPluginNote>(note) ? std::get<NoPluginNote>(note).reason : "";
  };
  std::ofstream(folder / "empty.so");
  std::ofstream(folder / "text.so")
      << "hello, I am no plugin and long enough for a header of ELF\n";
  std::filesystem::create_directory(folder / "folder.so");
  EXPECT_NE(reason(folder / "empty.so").find("is empty"), std::string::npos);
  EXPECT_NE(reason(folder / "text.so").find("no ELF file"), std::string::npos);
  EXPECT_NE(reason(folder / "folder.so").find("is a folder"), std::string::npos);
  EXPECT_NE(reason(folder / "missing.so").find("No such file"), std::string::npos);
  EXPECT_NE(reason("/dev/null").find("no regular file"), std::string::npos);
  EXPECT_NE(reason(DRYDOCK_STAGE).find("no section .drydock"), std::string::npos);
  std::string other_machine = sample();
  other_machine[offsetof(Elf64_Ehdr, e_machine)] = 2;
  std::ofstream(folder / "sparc.so", std::ios::binary) << other_machine;
  EXPECT_NE(reason(folder / "sparc.so").find("is built for "), std::string::npos);
}

TEST(PluginNote, AnotherAbiIsRefusedWithBothVersions) {
  constexpr int major = DRYDOCK_ABI_MAJOR, minor = DRYDOCK_ABI_MINOR;
  const auto version = [](int a, int b) { return std::to_string(a) + "." + std::to_string(b); };
  const auto refusal = [&](int a, int b, const std::string& remedy) {
    return "/p/x.so is built for plugin ABI " + version(a, b) + " and this Drydock has " +
           version(major, minor) + ": " + remedy;
  };
  const std::string newer =
      "upgrade Drydock, or let its author rebuild it with this Drydock's SDK.";
  EXPECT_EQ(abi_refusal("/p/x.so", major + 1, 0), refusal(major + 1, 0, newer));
  EXPECT_EQ(abi_refusal("/p/x.so", major, minor + 1), refusal(major, minor + 1, newer));
  EXPECT_EQ(abi_refusal("/p/x.so", major - 1, 9),
            refusal(major - 1, 9, "its author must rebuild it with this Drydock's SDK."));
  for (int older = 0; older <= minor; ++older) EXPECT_EQ(abi_refusal("/p/x.so", major, older), "");
}

TEST(PluginWords, AreThoseOfTheHeader) {
  EXPECT_TRUE(is_plugin_id("org.example.greet-2_x"));
  EXPECT_TRUE(is_plugin_id(std::string(100, 'a')));
  for (const char* wrong : {"", ".a", "-a", "a b", "a/b", "a\n", "\xc3\xa4", "a+b"}) {
    EXPECT_FALSE(is_plugin_id(wrong)) << wrong;
  }
  EXPECT_FALSE(is_plugin_id(std::string(101, 'a')));
  EXPECT_TRUE(is_plugin_version("1.4.0-rc1+build~2"));
  EXPECT_FALSE(is_plugin_version(std::string(65, '1')));
  EXPECT_TRUE(is_stage_type("a_b-9") && !is_stage_type("9a") && !is_stage_type("A"));
  EXPECT_TRUE(is_summary("Gr\xc3\xbc\xc3\x9f whoever looks, \xe2\x80\x9ctwice\xe2\x80\x9d"));
  for (const char* wrong : {"", "a\nb", "\x1b[31m", "\x7f", "C1: \xc2\x9b"}) {
    EXPECT_FALSE(is_summary(wrong)) << wrong;
  }
  EXPECT_EQ(quoted_word("a\x1b[1m\xc3"), "'a\\x1b[1m\\xc3'");
  EXPECT_EQ(quoted_word(std::string(50, 'x')), "'" + std::string(40, 'x') + "...'");
}

}  // namespace
}  // namespace drydock
