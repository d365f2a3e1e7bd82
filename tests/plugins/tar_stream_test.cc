// Reading tar streams: those of GNU tar and of Python in all their formats, and broken ones.
#include "tar_stream.h"

#include <gtest/gtest.h>

#include "drydock/testing.hpp"
#include "python_source.h"

using namespace drydock::testing;
using drydock::Process;
using drydock::alembic::read_tar;
using drydock::alembic::TarEntry;
using drydock::alembic::Unreadable;

namespace {

// "NAME KIND SIZE" of each entry.
std::vector<std::string> listed(std::string_view stream) {
  std::vector<std::string> result;
  for (const TarEntry& entry : read_tar(stream)) {
    const char* kinds[] = {"file", "folder", "link", "other"};
    result.push_back(entry.name + " " + kinds[static_cast<int>(entry.kind)] + " " +
                     std::to_string(entry.content.size()));
  }
  return result;
}

class TarStream : public ::testing::Test {
 protected:
  std::string tar(const std::string& format) {
    Process process;
    process.directory = host.deployment_dir();
    process.arguments = {"tar", "--format=" + format, "--sort=name", "-cf", "-", "d"};
    const Result result = execute(process, -1);
    EXPECT_EQ(result.code, 0) << result.err;
    return result.out;
  }
  FakeHost host;
};

TEST_F(TarStream, IsReadInEveryFormat) {
  const std::string deep = "d/" + std::string(60, 'x') + "/" + std::string(60, 'y') + ".py";
  host.write("d/a.py", "revision = 'a'\n");
  host.write("d/empty.py", "");
  host.write(deep, std::string(1000, 'z'));
  std::filesystem::create_symlink("a.py", host.deployment_dir() + "/d/link.py");
  for (const char* format : {"ustar", "gnu", "pax"}) {
    const std::string stream = tar(format);
    EXPECT_EQ(listed(stream),
              (std::vector<std::string>{
                  "d folder 0", "d/a.py file 15", "d/empty.py file 0", "d/link.py link 0",
                  deep.substr(0, deep.rfind('/')) + " folder 0", deep + " file 1000"}))
        << format;
    EXPECT_EQ(read_tar(stream)[1].content, "revision = 'a'\n");
  }
  const std::string longer = "d/" + std::string(200, 'x') + ".py";
  host.write(longer, "x");
  for (const char* format : {"gnu", "pax"}) {
    const std::vector<std::string> entries = listed(tar(format));
    EXPECT_NE(std::find(entries.begin(), entries.end(), longer + " file 1"), entries.end())
        << format;
  }
}

TEST_F(TarStream, IsRefusedWhenItIsCutOffOrBroken) {
  host.write("d/a.py", std::string(700, 'a'));
  const std::string stream = tar("pax");
  const std::size_t end = stream.find_last_not_of('\0');
  // The last block of zeros that anybody needs.
  const std::size_t needed = (end / 512 + 1) * 512 + 512;
  EXPECT_NO_THROW(read_tar(stream.substr(0, needed)));
  for (std::size_t size = 0; size < needed; size += 13) {
    EXPECT_THROW(read_tar(stream.substr(0, size)), Unreadable) << size;
  }
  // Whatever byte of a header is another, nothing is read beyond the stream. (Sanitizers watch.)
  for (std::size_t i = 0; i < 512 && i < stream.size(); ++i) {
    std::string changed = stream;
    changed[i] = static_cast<char>(changed[i] ^ 0x15);
    EXPECT_THROW(read_tar(changed), Unreadable) << i;
  }
  EXPECT_THROW(read_tar("no tar at all"), Unreadable);
  EXPECT_THROW(read_tar(std::string(512, 'x')), Unreadable);
}

// A header whose size is whatever the bytes say, with the right checksum.
std::string header_with_size(const std::string& size, char kind = '0') {
  std::string header(512, '\0');
  header.replace(0, 4, "name");
  header.replace(124, size.size(), size);
  header.replace(148, 8, std::string(8, ' '));
  header[156] = kind;
  header.replace(257, 5, "ustar");
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  char digits[8];
  std::snprintf(digits, sizeof digits, "%06o", sum);
  header.replace(148, 7, digits, 7);
  return header;
}

TEST(TarHeader, MayNotClaimMoreThanThereIs) {
  const std::string end(1024, '\0');
  EXPECT_EQ(listed(header_with_size("00000000000") + end).size(), 1u);
  EXPECT_EQ(listed(header_with_size("\x80" + std::string(11, '\0')) + end).size(), 1u);
  for (const std::string& size :
       {std::string("77777777777"), std::string("0000000200x"), std::string(12, '\xFF'),
        "\x80" + std::string(3, '\0') + std::string(8, '\x7F')}) {
    EXPECT_THROW(read_tar(header_with_size(size) + end), Unreadable);
  }
  const auto pax = [&](std::string records) {
    char size[12];
    std::snprintf(size, sizeof size, "%011o", static_cast<unsigned>(records.size()));
    records.resize(512);
    return header_with_size(size, 'x') + records + header_with_size("00000000000") + end;
  };
  EXPECT_EQ(listed(pax("12 path=a/b\n")), std::vector<std::string>{"a/b file 0"});
  for (const char* records : {"99 path=a/b\n", "x path=a\n", "0 path=a\n", "3 \n", "9 path a\n",
                              "12 size=abc\n", "99999999999999999999 path=a\n"}) {
    EXPECT_THROW(read_tar(pax(records)), Unreadable) << records;
  }
}

}  // namespace
