// Replacing and copying files: what a reader sees, and what stays of mode, owner, links and time.
#include "file_store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "digest.h"

namespace drydock::files {
namespace fs = std::filesystem;
namespace {

class FileStore : public ::testing::Test {
 protected:
  FileStore() {
    std::string pattern = (fs::temp_directory_path() / "drydock-files-XXXXXX").string();
    dir_ = ::mkdtemp(pattern.data());
  }
  ~FileStore() override { fs::remove_all(dir_); }
  std::string at(const std::string& name) const { return dir_ + "/" + name; }
  std::string make(const std::string& name, const std::string& text, mode_t mode = 0644) const {
    std::ofstream(at(name), std::ios::binary) << text;
    EXPECT_EQ(::chmod(at(name).c_str(), mode), 0);
    return at(name);
  }
  static mode_t mode_of(const std::string& path) { return attributes(path)->mode; }
  std::size_t entries() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(dir_), fs::directory_iterator()));
  }
  std::string dir_;
};

TEST_F(FileStore, WritesNewFilesForTheirOwnerAlone) {
  write(at("new"), "text");
  EXPECT_EQ(read(at("new")), "text");
  EXPECT_EQ(mode_of(at("new")), 0600U);
  EXPECT_EQ(entries(), 1U);
}

TEST_F(FileStore, KeepsModeAndOwnerOfWhatItReplaces) {
  const std::string path = make("file", "old", 0640);
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown(path.c_str(), 1234, 4321), 0);
  }
  const Attributes before = *attributes(path);
  write(path, "new");
  EXPECT_EQ(read(path), "new");
  EXPECT_EQ(*attributes(path), before);
}

// For user 1000 to read, and nobody of the file's group: its mode alone looks as if they might.
bool give_access_control_list(const std::string& path) {
  struct Entry {
    std::uint16_t tag, permissions;
    std::uint32_t id;
  };
  struct {
    std::uint32_t version = 2;
    Entry entries[5] = {
        {0x01, 6, ~0U}, {0x02, 4, 1000}, {0x04, 0, ~0U}, {0x10, 4, ~0U}, {0x20, 0, ~0U}};
  } const list;
  return ::setxattr(path.c_str(), "system.posix_acl_access", &list, sizeof list, 0) == 0;
}

std::string access_control_list(const std::string& path) {
  std::string value(200, '\0');
  const ssize_t size =
      ::getxattr(path.c_str(), "system.posix_acl_access", value.data(), value.size());
  return size < 0 ? "none" : value.substr(0, static_cast<std::size_t>(size));
}

TEST_F(FileStore, KeepsTheAccessControlListOfWhatItReplaces) {
  const std::string path = make("file", "old", 0640), kept = at("kept");
  if (!give_access_control_list(path)) GTEST_SKIP() << "no access control lists here";
  const std::string list = access_control_list(path);
  const Attributes before = *attributes(path);
  copy_file(path, kept);
  write(path, "new");
  EXPECT_EQ(access_control_list(path), list);
  // Also where it is gone meanwhile, and where what came since has none.
  for (const bool there : {false, true}) {
    fs::remove(path);
    if (there) make("file", "another");
    copy_file(kept, path);
    EXPECT_EQ(access_control_list(path), list);
    EXPECT_EQ(*attributes(path), before);
    EXPECT_EQ(read(path), "old");
  }
}

TEST_F(FileStore, NamesWhatIsInAFolder) {
  for (const char* name : {"b", "a", "c"}) make(name, "");
  EXPECT_EQ(names_in(dir_), (std::vector<std::string>{"a", "b", "c"}));
  try {
    names_in(at("a"));
    FAIL() << "a file is no folder";
  } catch (const FileError& e) {
    EXPECT_EQ(std::string(e.what()), "cannot read the folder " + at("a") + ": Not a directory");
  }
}

TEST_F(FileStore, ReplacesWhatALinkLeadsTo) {
  fs::create_directory(at("real"));
  make("real/file", "old");
  fs::create_symlink("real/file", at("link"));
  fs::create_symlink("link", at("link2"));
  write(at("link2"), "new");
  EXPECT_TRUE(fs::is_symlink(at("link")));
  EXPECT_TRUE(fs::is_symlink(at("link2")));
  EXPECT_EQ(read(at("real/file")), "new");
  fs::create_symlink("loop", at("loop"));
  EXPECT_THROW(write(at("loop"), "x"), FileError);
}

TEST_F(FileStore, ShowsNothingBeforeTheCommit) {
  const std::string path = make("file", "old");
  {
    Replacement replacement(path);
    replacement.write("half");
    EXPECT_EQ(read(path), "old");
  }
  EXPECT_EQ(read(path), "old");
  EXPECT_EQ(entries(), 1U);  // no temporary file stays
}

TEST_F(FileStore, NeverOverwritesWithCommitNew) {
  make("file", "old");
  Replacement replacement(at("file"));
  replacement.write("new");
  EXPECT_THROW(replacement.commit_new(), FileError);
  EXPECT_EQ(read(at("file")), "old");
}

TEST_F(FileStore, RemovesWhatAKilledReplacementLeft) {
  const std::string path = make("file", "old");
  static Replacement* killed = new Replacement(path);  // never destroyed, as after SIGKILL
  killed->write("secret");
  ::close(killed->descriptor());
  make(".file.drydock-notours", "operator's own");
  EXPECT_EQ(entries(), 3U);
  remove_leftovers(path);
  EXPECT_EQ(entries(), 2U);
  EXPECT_TRUE(fs::exists(at(".file.drydock-notours")));
}

TEST_F(FileStore, ReplacesALinkAndRemovesWhatAKilledReplacementOfItLeft) {
  make("file", "old");
  fs::create_symlink("file", at("link"));
  replace_link(at("link"), "elsewhere");
  EXPECT_EQ(fs::read_symlink(at("link")), "elsewhere");
  EXPECT_EQ(entries(), 2U);
  fs::create_symlink("file", at(".link.drydock-0123456789abcdef"));
  remove_leftovers(at("link"));
  EXPECT_EQ(entries(), 2U);
}

TEST_F(FileStore, RefusesWhatIsNoRegularFileAndWhatIsTooLarge) {
  EXPECT_THROW(read(dir_), FileError);
  EXPECT_THROW(write(dir_, "x"), FileError);
  ASSERT_EQ(::mkfifo(at("pipe").c_str(), 0600), 0);
  EXPECT_THROW(read(at("pipe")), FileError);
  make("four", "1234");
  EXPECT_EQ(read(at("four"), 4), "1234");
  EXPECT_THROW(read(at("four"), 3), FileError);
  EXPECT_EQ(read_if_present(at("none")), std::nullopt);
  EXPECT_THROW(read(at("none")), FileError);
}

TEST_F(FileStore, CopiesATreeAsItIs) {
  fs::create_directories(at("from/sub/empty"));
  make("from/a", "A", 0755);
  make("from/sub/b", std::string(300000, 'b'), 0400);
  make("from/skipped", "no");
  fs::create_symlink("../a", at("from/sub/link"));
  ASSERT_EQ(::mkfifo(at("from/pipe").c_str(), 0600), 0);
  const timespec times[2] = {{1000000, 5}, {1000000, 5}};
  ASSERT_EQ(::utimensat(AT_FDCWD, at("from/sub/b").c_str(), times, 0), 0);
  ASSERT_EQ(::utimensat(AT_FDCWD, at("from/sub").c_str(), times, 0), 0);

  const auto left_out = copy_tree(
      at("from"), at("to"), [](const std::string& relative) { return relative == "skipped"; });
  EXPECT_EQ(left_out, std::vector<std::string>{"pipe"});
  EXPECT_EQ(read(at("to/a")), "A");
  EXPECT_EQ(mode_of(at("to/a")), 0755U);
  EXPECT_EQ(mode_of(at("to/sub/b")), 0400U);
  EXPECT_TRUE(same_content(at("from/sub/b"), at("to/sub/b")));
  EXPECT_FALSE(same_content(at("from/sub/b"), at("to/a")));
  EXPECT_EQ(fs::read_symlink(at("to/sub/link")), "../a");
  EXPECT_TRUE(fs::is_directory(at("to/sub/empty")));
  EXPECT_FALSE(fs::exists(at("to/skipped")));
  for (const char* name : {"to/sub/b", "to/sub"}) {
    struct stat status {};
    ASSERT_EQ(::stat(at(name).c_str(), &status), 0);
    EXPECT_EQ(status.st_mtim.tv_sec, 1000000) << name;
  }
}

TEST_F(FileStore, ReplacesManyFilesAtOnceOrNone) {
  for (const int count : {3, 40}) {  // few, which are synced one by one, and many
    Replacements many;
    for (int i = 0; i < count; ++i) {
      make("file" + std::to_string(i), "old");
      auto replacement = std::make_unique<Replacement>(at("file" + std::to_string(i)));
      replacement->write("new");
      many.add(std::move(replacement));
    }
    EXPECT_EQ(read(at("file0")), "old");
    many.commit();
    for (int i = 0; i < count; ++i) EXPECT_EQ(read(at("file" + std::to_string(i))), "new");
  }
  {
    Replacements given_up;
    auto replacement = std::make_unique<Replacement>(at("file0"));
    replacement->write("newer");
    given_up.add(std::move(replacement));
  }
  EXPECT_EQ(read(at("file0")), "new");
  for (const auto& found : fs::directory_iterator(at(""))) {
    EXPECT_EQ(found.path().string().find(".drydock-"), std::string::npos) << found.path();
  }
}

TEST_F(FileStore, RemovesTheLeftoversOfMany) {
  const std::string digits = "0123456789abcdef";
  make(".one.drydock-" + digits, "");
  make("two", "mine");
  make(".two.drydock-" + digits, "");
  make(".other.drydock-" + digits, "somebody else's");
  make(".two.drydock-" + digits + "0", "no name of ours");
  remove_leftovers(std::vector{at("one"), at("two"), at("nowhere/three")});
  EXPECT_FALSE(fs::exists(at(".one.drydock-" + digits)));
  EXPECT_FALSE(fs::exists(at(".two.drydock-" + digits)));
  EXPECT_TRUE(fs::exists(at("two")));
  EXPECT_TRUE(fs::exists(at(".other.drydock-" + digits)));
  EXPECT_TRUE(fs::exists(at(".two.drydock-" + digits + "0")));
}

TEST_F(FileStore, NamesTheFoldersThatItMade) {
  fs::create_directory(at("a"));
  EXPECT_EQ(make_directories(at("a/b/c"), 0750),
            (std::vector<std::string>{at("a/b"), at("a/b/c")}));
  EXPECT_EQ(mode_of(at("a/b/c")), 0750U);
  EXPECT_TRUE(make_directories(at("a/b/c")).empty());
}

TEST_F(FileStore, DigestsFiles) {
  make("abc", "abc");
  const std::string known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  EXPECT_EQ(sha256("abc"), known);
  EXPECT_EQ(sha256_file(at("abc")), known);
  EXPECT_THROW(sha256_file(at("none")), std::runtime_error);
  Sha256 pieces;
  pieces.update("a");
  pieces.update("bc");
  EXPECT_EQ(pieces.finish_hex(), known);
  pieces.update("abc");
  EXPECT_EQ(pieces.finish_hex(), known) << "after finish() it is as new";
}

// Test case 2 of RFC 4231.
TEST(Digest, UnderAKey) {
  EXPECT_EQ(hmac_sha256("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

}  // namespace
}  // namespace drydock::files
