// A repository with releases, a clone of it that runs one of them, and how the clone looks.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <drydock/testing.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "source_stage.h"

namespace drydock::source {

// Every path below a folder with its kind, mode, owner, content and (of files) time.
inline std::map<std::string, std::string> picture_of(const std::string& dir,
                                                     const std::string& but = "") {
  namespace fs = std::filesystem;
  std::map<std::string, std::string> image;
  for (auto at = fs::recursive_directory_iterator(dir); at != fs::recursive_directory_iterator();
       ++at) {
    const fs::path& path = at->path();
    const std::string relative = fs::relative(path, dir).string();
    if (relative == but) {
      at.disable_recursion_pending();
      continue;
    }
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) continue;
    std::string text = std::to_string(status.st_mode) + " " + std::to_string(status.st_uid) + " " +
                       std::to_string(status.st_gid) + " ";
    if (S_ISLNK(status.st_mode)) text += fs::read_symlink(path).string();
    if (S_ISREG(status.st_mode)) {
      std::ifstream file(path, std::ios::binary);
      text += std::to_string(status.st_mtim.tv_nsec) + " ";
      text.append(std::istreambuf_iterator<char>(file), {});
    }
    image[relative] = text;
  }
  return image;
}

// The first difference alone: two whole pictures are unreadable.
inline ::testing::AssertionResult is_same(const std::map<std::string, std::string>& found,
                                          const std::map<std::string, std::string>& expected) {
  const auto text = [](const auto& image, const std::string& path) {
    const auto at = image.find(path);
    return at == image.end() ? std::string("absent") : ::testing::PrintToString(at->second);
  };
  std::map<std::string, std::string> all = expected;
  all.insert(found.begin(), found.end());
  for (const auto& [path, ignored] : all) {
    const std::string is = text(found, path), was = text(expected, path);
    if (is != was) {
      return ::testing::AssertionFailure()
             << path << " was " << was.substr(0, 300) << ", is " << is.substr(0, 300);
    }
  }
  return ::testing::AssertionSuccess();
}

class GitWorld {
 public:
  GitWorld() {
    std::string pattern = (std::filesystem::temp_directory_path() / "drydock-git-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no folder");
    dir = std::filesystem::canonical(pattern).string();
    upstream = dir + "/upstream";
    std::filesystem::create_directory(upstream);
    git(upstream, {"init", "--quiet", "--initial-branch=main"});
  }
  ~GitWorld() {
    std::error_code ignored;
    std::filesystem::remove_all(dir, ignored);
  }
  GitWorld(const GitWorld&) = delete;
  GitWorld& operator=(const GitWorld&) = delete;

  std::string git(const std::string& in, std::vector<std::string> arguments) const {
    const testing::Result result = attempt(in, std::move(arguments));
    if (result.code != 0) throw std::runtime_error("git: " + result.err);
    return result.out;
  }
  testing::Result attempt(const std::string& in, std::vector<std::string> arguments) const {
    Process process;
    process.arguments = {"git",
                         "-c",
                         "user.name=Somebody",
                         "-c",
                         "user.email=somebody@example.org",
                         "-c",
                         "commit.gpgSign=false",
                         "-c",
                         "protocol.file.allow=always",
                         "-c",
                         "safe.directory=*",
                         "-c",
                         "advice.detachedHead=false"};
    process.arguments.insert(process.arguments.end(), arguments.begin(), arguments.end());
    process.environment = {"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C"};
    process.directory = in;
    return testing::execute(process, -1);
  }
  static void write(const std::string& file, const std::string& text, mode_t mode = 0644) {
    std::filesystem::create_directories(std::filesystem::path(file).parent_path());
    std::ofstream(file, std::ios::binary) << text;
    if (::chmod(file.c_str(), mode) != 0) throw std::runtime_error("chmod");
  }
  static std::string read(const std::string& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  // The work tree of the upstream becomes a commit with a tag.
  void release(const std::string& tag, bool annotated = false) const {
    git(upstream, {"add", "--all"});
    git(upstream, {"commit", "--quiet", "--allow-empty", "-m", "release " + tag});
    git(upstream, annotated ? std::vector<std::string>{"tag", "-a", "-m", "notes", tag}
                            : std::vector<std::string>{"tag", tag});
  }
  // Everything that a rollback has to bring back: files, HEAD, index, tags, branches.
  std::map<std::string, std::string> picture(const std::string& root) const {
    auto image = picture_of(root, ".git");
    image["HEAD"] =
        git(root, {"rev-parse", "HEAD"}) + attempt(root, {"symbolic-ref", "-q", "HEAD"}).out;
    image["refs"] = git(root, {"for-each-ref"});
    const auto path = [&](const char* name) {
      std::string text = git(root, {"rev-parse", "--path-format=absolute", "--git-path", name});
      text.pop_back();
      return text;
    };
    image["index"] = read(path("index"));
    image["shallow"] = read(path("shallow"));
    for (const char* lock : {"index.lock", "HEAD.lock", "shallow.lock"}) {
      image[lock] = std::filesystem::exists(path(lock)) ? "there" : "";
    }
    return image;
  }

  std::string dir, upstream;
};

// An application whose deployment is the folder docker/ of its repository.
class Releases : public GitWorld {
 public:
  Releases() {
    put("docker/docker-compose.yaml", lines("one", "two"));
    put("docker/.env.example", "A=1\n");
    put("docker/nginx/nginx.conf", "old conf\n");
    put("docker/run.sh", "#!/bin/sh\necho 1\n", 0755);
    put("docker/was-executable.sh", "#!/bin/sh\n", 0755);
    put("docker/old/gone.txt", "gone\n");
    put("docker/old/deep/gone.txt", "gone too\n");
    put("docker/becomes-folder", "file\n");
    put("docker/becomes-file/inside", "folder\n");
    put("docker/becomes-link", "file\n");
    std::filesystem::create_symlink("run.sh", upstream + "/docker/becomes-real");
    std::filesystem::create_symlink("nginx/nginx.conf", upstream + "/docker/link");
    put("docker/windows.txt", "one\ntwo\n");
    put("docker/a \"name\"\tof \xc3\xa4ll kinds", "odd\n");
    put("docker/same.txt", "same\n");
    put("api/app.py", "print(1)\n");
    put(".gitattributes", "docker/windows.txt text eol=crlf\n");
    put(".gitignore", "docker/.env\ndocker/volumes/\n");
    release("1.0");
    clone_at_1 = dir + "/clone";
  }
  void put(const std::string& path, const std::string& text, mode_t mode = 0644) const {
    write(upstream + "/" + path, text, mode);
  }
  static std::string lines(const std::string& first, const std::string& last) {
    std::string text = "services: " + first + "\n";
    for (int i = 0; i < 9; ++i) text += "# line " + std::to_string(i) + "\n";
    return text + "volumes: " + last + "\n";
  }
  void clone(std::vector<std::string> options = {}) const {
    std::vector<std::string> arguments = {"clone", "--quiet"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    arguments.insert(arguments.end(), {"file://" + upstream, clone_at_1});
    git(dir, arguments);
    operators_own(clone_at_1);
  }
  void operators_own(const std::string& root) const {
    write(root + "/docker/.env", "SECRET=mine\n", 0600);
    write(root + "/docker/volumes/data", "rows\n");
    write(root + "/docker/notes.txt", "untracked\n");
  }
  void release_2(bool annotated = false) const {
    namespace fs = std::filesystem;
    put("docker/docker-compose.yaml", lines("one", "zwei"));
    put("docker/.env.example", "A=1\nB=2\n");
    put("docker/nginx/nginx.conf", "new conf\n");
    put("docker/run.sh", "#!/bin/sh\necho 2\n", 0755);
    put("docker/was-executable.sh", "#!/bin/sh\n", 0644);
    put("docker/new/deep/file.txt", "new\n");
    put("docker/new/start.sh", "#!/bin/sh\n", 0755);
    fs::remove_all(upstream + "/docker/old");
    fs::remove(upstream + "/docker/becomes-folder");
    put("docker/becomes-folder/inside", "folder\n");
    fs::remove_all(upstream + "/docker/becomes-file");
    put("docker/becomes-file", "file\n");
    fs::remove(upstream + "/docker/becomes-link");
    fs::create_symlink("run.sh", upstream + "/docker/becomes-link");
    fs::remove(upstream + "/docker/becomes-real");
    put("docker/becomes-real", "real\n");
    fs::remove(upstream + "/docker/link");
    fs::create_symlink("same.txt", upstream + "/docker/link");
    put("docker/windows.txt", "one\nzwei\nthree\n");
    put("docker/a \"name\"\tof \xc3\xa4ll kinds", "odder\n");
    put("api/app.py", "print(2)\n");
    release("2.0", annotated);
  }
  std::string clone_at_1;
};

}  // namespace drydock::source
