// Archives of plugins, what a plugin file exports, and the odd options that a check makes: whatever
// the bytes are.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "error.h"
#include "files.h"
#include "plugin_archive.h"
#include "plugin_check_folder.h"
#include "plugin_check_fuzz.h"
#include "plugin_exports.h"
#include "worker_world.h"

namespace drydock {
namespace {

using nlohmann::json;

const std::string& sample_plugin() {
  static const std::string bytes = read_file(SAMPLE_PLUGIN, largest_plugin_file);
  return bytes;
}

// Some bytes of it replaced, and perhaps its end cut off.
std::string damaged(std::string bytes) {
  const auto size = bytes.size();
  const auto places =
      *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, size));
  for (const std::size_t at : places) bytes[at] = *rc::gen::arbitrary<char>();
  if (*rc::gen::element(true, false, false)) bytes.resize(*rc::gen::inRange<std::size_t>(0, size));
  return bytes;
}

PluginArchive archive_of(const std::string& plugin) {
  PluginArchive archive;
  archive.manifest = {{0, 1, "org.example.greet", "1.2.0"}, "x86_64", "greet.so", ""};
  archive.plugin = plugin;
  return archive;
}

RC_GTEST_PROP(PluginArchive, GivesBackWhatWasPacked, ()) {
  PluginArchive archive = archive_of(*rc::gen::arbitrary<std::string>());
  archive.manifest.sha256 = std::string(64, '0');
  const std::string wrong = pack_plugin(archive);
  try {
    unpack_plugin(wrong, "a.tar");
    RC_FAIL("a hash that is wrong was not noticed");
  } catch (const Error& error) {
    // The sentence has the right one.
    const std::string text = error.what();
    archive.manifest.sha256 = text.substr(text.find("SHA-256 ") + 8, 64);
  }
  const std::string packed = pack_plugin(archive);
  RC_ASSERT(packed == pack_plugin(archive));
  const PluginArchive unpacked = unpack_plugin(packed, "a.tar");
  RC_ASSERT(unpacked.plugin == archive.plugin);
  RC_ASSERT(unpacked.manifest.file == archive.manifest.file);
  RC_ASSERT(unpacked.manifest.note.id == archive.manifest.note.id);
  RC_ASSERT(unpacked.manifest.note.version == archive.manifest.note.version);
  RC_ASSERT(unpacked.manifest.architecture == archive.manifest.architecture);
}

RC_GTEST_PROP(PluginArchive, DamagedIsRefusedOrHoldsTheSamePlugin, ()) {
  PluginArchive archive = archive_of(std::string(3000, 'x'));
  archive.manifest.sha256 = "26f1ac8d65d3bb10d41e12d1c0a14f5cc1d9c7a3ab0b0c0c3b6c5c2b5a2d9b3b";
  try {
    unpack_plugin(pack_plugin(archive), "a.tar");
  } catch (const Error& error) {
    const std::string text = error.what();
    archive.manifest.sha256 = text.substr(text.find("SHA-256 ") + 8, 64);
  }
  try {
    const PluginArchive unpacked = unpack_plugin(damaged(pack_plugin(archive)), "a.tar");
    // A byte of a header that means nothing, or of the manifest.
    if (unpacked.manifest.sha256 == archive.manifest.sha256) {
      RC_ASSERT(unpacked.plugin == archive.plugin);
    }
  } catch (const Error&) {
  }
}

TEST(PluginArchive, NamesAreNamesAndNothingElse) {
  for (const char* name : {"a.so", "org.example.greet.so", "a-b_c+d.so", "7.so"}) {
    EXPECT_EQ(wrong_plugin_name(name), "") << name;
  }
  for (const char* name : {"", ".so", "a", "a.SO", "../a.so", "a/b.so", "/a.so", ".a.so", "-a.so",
                           "a b.so", "a\n.so", "\xc3\xa4.so"}) {
    EXPECT_NE(wrong_plugin_name(name), "") << name;
  }
  EXPECT_NE(wrong_plugin_name(std::string(100, 'a') + ".so"), "");
}

TEST(ExportedSymbols, OfAPlugin) {
  const auto symbols = exported_symbols(sample_plugin());
  ASSERT_TRUE(symbols);
  EXPECT_EQ(std::count(symbols->begin(), symbols->end(), "drydock_plugin_v1"), 1);
  EXPECT_FALSE(exported_symbols(""));
  EXPECT_FALSE(exported_symbols(
      "no ELF file, but long enough to be the header of one, or so it seems....."));
}

RC_GTEST_PROP(ExportedSymbols, OfADamagedFileAreReadWithinIt, ()) {
  // Its tables are at its end, and the header at its beginning.
  std::string bytes = sample_plugin();
  const std::size_t at = *rc::gen::element<std::size_t>(0, bytes.size() - 4096);
  const std::string part = damaged(bytes.substr(at, 4096));
  bytes.replace(at, 4096, part);
  exported_symbols(bytes);
}

TEST(OddOptions, AreTheSameForASeed) {
  const json schema =
      json::parse(R"({"properties": {"a": {"type": "string"}, "b": {"type": "integer"}}})");
  const json sample = {{"a", "x"}, {"b", 1}};
  const std::vector<json> once = odd_options(schema, sample, 7);
  EXPECT_EQ(once, odd_options(schema, sample, 7));
  EXPECT_NE(once, odd_options(schema, sample, 8));
  const auto some = [&](const auto& holds) { return std::any_of(once.begin(), once.end(), holds); };
  EXPECT_TRUE(some([](const json& set) { return !set.contains("a"); }));
  EXPECT_TRUE(some([](const json& set) { return set.contains("unknown"); }));
  EXPECT_TRUE(some([](const json& set) {
    return set.contains("a") && set["a"].is_string() && set["a"].get<std::string>().size() > 60000;
  }));
  for (const json& set : once) EXPECT_NO_THROW(set.dump());
}

TEST(FolderState, NamesWhatDiffers) {
  TemporaryFolder folder;
  std::ofstream(folder / "kept") << "same";
  std::ofstream(folder / "changed") << "old";
  std::ofstream(folder / "removed") << "gone";
  const FolderState before = state_of_folder(folder.path());
  EXPECT_EQ(difference(before, state_of_folder(folder.path())), "");
  std::ofstream(folder / "kept") << "same";
  EXPECT_EQ(difference(before, state_of_folder(folder.path())), "");
  std::ofstream(folder / "changed") << "new";
  EXPECT_EQ(difference(before, state_of_folder(folder.path())), "changed 'changed'");
  std::filesystem::remove(folder / "removed");
  EXPECT_EQ(difference(before, state_of_folder(folder.path())), "changed 'changed' and 1 other");
  std::ofstream(folder / "made") << "new";
  EXPECT_EQ(difference(before, state_of_folder(folder.path())), "changed 'changed' and 2 others");
  std::filesystem::permissions(folder / "kept", std::filesystem::perms::owner_read);
  EXPECT_EQ(difference(before, state_of_folder(folder.path())), "changed 'changed' and 3 others");
  // A stage writes nothing into Drydock's own folder either.
  std::filesystem::create_directory(folder / ".drydock");
  EXPECT_EQ(difference(before, state_of_folder(folder.path())), "made '.drydock' and 4 others");
}

}  // namespace
}  // namespace drydock
