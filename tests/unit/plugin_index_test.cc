// Which files are plugins, which are refused and with what words, and what is remembered of them.
#include "plugin_index.h"

#include <drydock/stage.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <sstream>

#include "error.h"
#include "files.h"
#include "load_safety.h"
#include "plugin_file.h"
#include "worker_world.h"

namespace drydock {
namespace {

// Counts how often a plugin was asked.
struct CountingWorker : Worker {
  explicit CountingWorker(Worker& worker) : real(worker) {}
  StepResult perform(const StepRequest& request, StepListener& listener) override {
    return real.perform(request, listener);
  }
  ProbeResult probe(const FileIdentity& file) override {
    ++probes;
    return real.probe(file);
  }
  Worker& real;
  std::atomic<int> probes = 0;  // on several threads
};

struct PluginIndexTest : testing::Test {
  TemporaryFolder plugins, cache;
  Cancellation cancellation;
  ProcessWorker real{DRYDOCK_STAGE, cancellation};
  CountingWorker worker{real};
  PluginIndexTest() { ::setenv("XDG_CACHE_HOME", cache.path().c_str(), 1); }
  void add(const std::string& name) {
    std::filesystem::copy_file(SAMPLE_PLUGIN, plugins / name);
    ::chmod((plugins / name).c_str(), 0644);
  }
  // The same plugin as other bytes: what comes after the sections interests nobody.
  static void add_other(const std::string& path, const std::string& more) {
    std::filesystem::copy_file(SAMPLE_PLUGIN, path);
    std::ofstream(path, std::ios::app) << more;
    ::chmod(path.c_str(), 0644);
  }
  PluginIndex scan() { return PluginIndex::scan({plugins.path()}, worker); }
  std::string only_problem() {
    const PluginIndex index = scan();
    EXPECT_EQ(index.problems().size(), 1u);
    return index.problems().empty() ? "" : index.problems()[0].sentence;
  }
};

#define EXPECT_SAYS(sentence, part) \
  EXPECT_NE((sentence).find(part), std::string::npos) << (sentence)

TEST_F(PluginIndexTest, FindsStageTypes) {
  add("a.so");
  std::ofstream(plugins / "README") << "no plugin";
  const PluginIndex index = scan();
  EXPECT_TRUE(index.problems().empty());
  const IndexedStage& stage = index.require("sample", "");
  EXPECT_EQ(stage.plugin_id, "test.worker");
  EXPECT_EQ(stage.plugin_file, std::filesystem::canonical(plugins / "a.so"));
  EXPECT_TRUE(stage.has(Step::run, nlohmann::json::object()));
  EXPECT_FALSE(stage.has(Step::settle, nlohmann::json::object()));
  EXPECT_FALSE(stage.has(Step::verify, nlohmann::json::object()));
  EXPECT_FALSE(stage.has(Step::verify, {{"verify", nullptr}}));
  EXPECT_TRUE(stage.has(Step::verify, {{"verify", "x"}}));
}

TEST_F(PluginIndexTest, AnUnchangedFileIsNotAskedAgain) {
  add("a.so");
  scan();
  EXPECT_EQ(scan().require("sample", "").description.notes_version, 2u);
  EXPECT_EQ(worker.probes, 1);
  // What it is depends on its bytes alone: not on times, nor on where it lies.
  const timespec times[2] = {{1000, 0}, {1000, 0}};
  ::utimensat(AT_FDCWD, (plugins / "a.so").c_str(), times, 0);
  scan();
  std::filesystem::rename(plugins / "a.so", plugins / "b.so");
  EXPECT_NE(scan().find("sample"), nullptr);
  EXPECT_EQ(worker.probes, 1);
  std::ofstream(plugins / "b.so", std::ios::app) << "x";
  EXPECT_NE(scan().find("sample"), nullptr);
  EXPECT_EQ(worker.probes, 2);
  struct stat status {};
  ASSERT_EQ(::stat((cache / "drydock/plugins").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(PluginIndexTest, ADamagedCacheIsAnEmptyOne) {
  add("a.so");
  for (const char* text : {"", "{", "[]", R"({"format":"3 1.0","plugins":{"x":7}})"}) {
    scan();
    std::ofstream(cache / "drydock/plugins") << text;
    EXPECT_NE(scan().find("sample"), nullptr) << text;
  }
  // A schema of which nothing is left would allow everything.
  scan();
  std::filesystem::resize_file(cache / "drydock/plugins",
                               std::filesystem::file_size(cache / "drydock/plugins") - 1);
  const int before = worker.probes;
  EXPECT_NE(scan().find("sample"), nullptr);
  EXPECT_EQ(worker.probes, before + 1);
  std::filesystem::remove_all(cache / "drydock");
  std::ofstream(cache / "drydock") << "a file in its place";
  EXPECT_NE(scan().find("sample"), nullptr);
}

TEST_F(PluginIndexTest, FilesThatAreNoPluginsAreNamed) {
  std::ofstream(plugins / "bad.so") << "text";
  EXPECT_SAYS(only_problem(), "bad.so is no ELF file");
  std::ofstream(plugins / "bad.so", std::ios::trunc);
  EXPECT_SAYS(only_problem(), "bad.so is empty");
  std::filesystem::remove(plugins / "bad.so");
  std::filesystem::create_directory(plugins / "bad.so");
  EXPECT_SAYS(only_problem(), "bad.so is a folder");
  std::filesystem::remove(plugins / "bad.so");
  std::filesystem::create_symlink("nowhere", plugins / "bad.so");
  EXPECT_SAYS(only_problem(), "does not exist");
  EXPECT_EQ(worker.probes, 0);
}

TEST_F(PluginIndexTest, WhatOthersCanWriteIsRefused) {
  add("a.so");
  ::chmod((plugins / "a.so").c_str(), 0666);
  EXPECT_SAYS(only_problem(), "a.so is writable by everybody");
  ::chmod((plugins / "a.so").c_str(), 0664);
  EXPECT_EQ(scan().warnings().size(), 1u);
  EXPECT_TRUE(scan().problems().empty());
  ::chmod(plugins.path().c_str(), 0777);
  EXPECT_SAYS(only_problem(), "is writable by everybody");
  ::chmod(plugins.path().c_str(), 01777);  // as /tmp, whose mode is for nobody to change
  EXPECT_SAYS(only_problem(), "is a folder that everybody shares");
  EXPECT_EQ(only_problem().find("chmod"), std::string::npos);
  // A link out of a safe folder does not help.
  TemporaryFolder safe;
  std::filesystem::create_symlink(plugins / "a.so", safe / "link.so");
  EXPECT_EQ(PluginIndex::scan({safe.path()}, worker).problems().size(), 1u);
  if (::geteuid() == 0) {
    ::chmod(plugins.path().c_str(), 0755);
    ASSERT_EQ(::chown((plugins / "a.so").c_str(), 12345, 0), 0);
    EXPECT_SAYS(only_problem(), "belongs to user 12345");
  }
}

TEST_F(PluginIndexTest, AStageTypeThatTwoFilesProvideNamesBoth) {
  add("a.so");
  add("b.so");
  const std::string sentence = only_problem();
  EXPECT_SAYS(sentence, "a.so and ");
  EXPECT_SAYS(sentence, "b.so");
}

TEST_F(PluginIndexTest, WhatIsFoundFirstHidesTheRest) {
  add("a.so");
  TemporaryFolder later;
  std::filesystem::copy_file(SAMPLE_PLUGIN, later / "b.so");
  const PluginIndex index = PluginIndex::scan({plugins.path(), later.path()}, worker);
  EXPECT_TRUE(index.problems().empty());
  EXPECT_EQ(index.require("sample", "").plugin_file, std::filesystem::canonical(plugins / "a.so"));
  ASSERT_EQ(index.plugins().size(), 2u);
  EXPECT_EQ(index.plugins()[0].hidden_by, "");
  EXPECT_EQ(index.plugins()[1].hidden_by, index.plugins()[0].file);
  EXPECT_EQ(index.plugins()[1].stage_types, index.plugins()[0].stage_types);
  const PluginIndex turned = PluginIndex::scan({later.path(), plugins.path()}, worker);
  EXPECT_EQ(turned.require("sample", "").plugin_file, std::filesystem::canonical(later / "b.so"));
}

TEST_F(PluginIndexTest, ManyAreAskedAtOnceEachOnce) {
  TemporaryFolder many;
  std::vector<std::string> folders;
  for (int i = 0; i < 24; ++i) {
    folders.push_back(many / std::to_string(i));
    std::filesystem::create_directory(folders.back());
    add_other(folders.back() + "/a.so", std::to_string(i));
  }
  const PluginIndex index = PluginIndex::scan(folders, worker);
  EXPECT_EQ(worker.probes, 24);
  EXPECT_EQ(index.plugins().size(), 24u);
  EXPECT_TRUE(index.problems().empty());
  PluginIndex::scan(folders, worker);
  EXPECT_EQ(worker.probes, 24);
  // Of the same bytes one is asked for all.
  std::filesystem::remove_all(cache / "drydock");
  for (const std::string& folder : folders) {
    std::filesystem::copy_file(SAMPLE_PLUGIN, folder + "/a.so",
                               std::filesystem::copy_options::overwrite_existing);
  }
  EXPECT_EQ(PluginIndex::scan(folders, worker).plugins().size(), 24u);
  EXPECT_EQ(worker.probes, 25);
}

// A pin is compared before anything of the file is executed.
TEST_F(PluginIndexTest, OfAPinnedPluginNoOtherFileIsAsked) {
  add("a.so");
  const std::string digest = sha256_of_file(plugins / "a.so");
  TemporaryFolder later;
  add_other(later / "b.so", "other");
  const auto scan_with = [&](const std::string& pinned) {
    return PluginIndex::scan({plugins.path(), later.path()}, worker, {{"test.worker", pinned}});
  };
  const PluginIndex wrong = scan_with(std::string(64, 'a'));
  EXPECT_EQ(worker.probes, 0);
  EXPECT_EQ(wrong.find("sample"), nullptr);
  EXPECT_TRUE(wrong.problems().empty()) << "who pins it is told, by the pin's place";
  ASSERT_EQ(wrong.plugins().size(), 2u);
  EXPECT_EQ(wrong.plugins()[0].sha256, digest);
  EXPECT_FALSE(wrong.plugins()[0].asked);
  const PluginIndex right = scan_with(digest);
  EXPECT_EQ(worker.probes, 1) << "the hidden one is another file";
  EXPECT_NE(right.find("sample"), nullptr);
  EXPECT_EQ(right.plugins()[1].hidden_by, right.plugins()[0].file);
}

// What is loaded is what was hashed.
TEST_F(PluginIndexTest, AFileThatWasReplacedIsNotLoaded) {
  add("a.so");
  const PluginIndex index = scan();
  const IndexedStage& stage = index.require("sample", "");
  EXPECT_EQ(stage.sha256(), sha256_of_file(SAMPLE_PLUGIN));
  StepRequest request;
  request.plugin_file = stage.plugin_file;
  request.plugin_identity = stage.as_indexed->identity;
  request.stage_type = request.stage_id = "sample";
  request.steps = {Step::run};
  request.options = {{"do", "report"}};
  request.deployment_dir = plugins.path();
  const auto outcome = [&] {
    HeardEverything heard;
    return describe(real.perform(request, heard).outcome);
  };
  EXPECT_EQ(outcome(), "done");
  add_other(plugins / "b.so", "");
  std::filesystem::rename(plugins / "b.so", plugins / "a.so");
  EXPECT_SAYS(outcome(), "a.so is not the file any more that it was when Drydock looked at it");
  EXPECT_SAYS(std::get<WontLoad>(real.probe(*request.plugin_identity)).reason,
              "so nothing of it was loaded");
  request.plugin_identity = PluginFile(plugins / "a.so").identity();
  EXPECT_EQ(outcome(), "done");
  std::ofstream(plugins / "a.so", std::ios::app) << "x";
  EXPECT_SAYS(outcome(), "is not the file any more");
  std::filesystem::remove(plugins / "a.so");
  EXPECT_SAYS(outcome(), "is not the file any more");
}

// Whoever may rename a folder above decides what lies below.
TEST_F(PluginIndexTest, FoldersAboveAreLookedAtToo) {
  const std::string above = plugins / "above", below = above + "/below";
  std::filesystem::create_directories(below);
  std::filesystem::copy_file(SAMPLE_PLUGIN, below + "/a.so");
  ::chmod((below + "/a.so").c_str(), 0644);
  const auto problem = [&] {
    const PluginIndex index = PluginIndex::scan({below}, worker);
    return index.problems().empty() ? std::string() : index.problems()[0].sentence;
  };
  ::chmod(above.c_str(), 0777);
  EXPECT_SAYS(problem(), above + " is writable by everybody");
  EXPECT_SAYS(unsafe_to_load(below + "/a.so"), above + " is writable by everybody");
  ::chmod(above.c_str(), 01777);
  EXPECT_EQ(problem(), "") << "in a sticky folder nobody renames what is another's";
  EXPECT_EQ(unsafe_to_load(below + "/a.so"), "");
  ::chmod(above.c_str(), 0755);
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown(above.c_str(), 12345, 0), 0);
    EXPECT_SAYS(problem(), above + " belongs to user 12345");
  }
}

// The words come from a file that nobody has vouched for.
TEST_F(PluginIndexTest, WordsThatATerminalActsUponAreRefused) {
  const auto renamed = [this](const std::string& from, const std::string& to) {
    std::ostringstream bytes;
    bytes << std::ifstream(SAMPLE_PLUGIN, std::ios::binary).rdbuf();
    std::string other = bytes.str();
    for (std::size_t at = 0; (at = other.find(from, at)) != std::string::npos; at += to.size()) {
      other.replace(at, from.size(), to);
    }
    std::ofstream(plugins / "other.so", std::ios::binary | std::ios::trunc) << other;
    return only_problem();
  };
  EXPECT_SAYS(renamed("test.worker", "test.\x1b[31mx"), "other.so calls itself 'test.\\x1b[31mx'");
  EXPECT_SAYS(renamed("test.worker", "te t.worker"), "calls itself 'te t.worker'");
  EXPECT_SAYS(renamed("test.worker", ".est.worker"), "calls itself '.est.worker'");
  EXPECT_SAYS(renamed("1.2.3", "1.2\r3"), "has the version '1.2\\x0d3'");
  EXPECT_EQ(worker.probes, 0);
}

TEST_F(PluginIndexTest, AnotherAbiIsRefusedWithoutAsking) {
  std::ostringstream bytes;
  bytes << std::ifstream(SAMPLE_PLUGIN, std::ios::binary).rdbuf();
  std::string newer = bytes.str();
  newer.replace(newer.find("\nabi=") + 5, 1, "7");
  std::ofstream(plugins / "newer.so", std::ios::binary) << newer;
  EXPECT_SAYS(only_problem(),
              "newer.so is built for plugin ABI 7." DRYDOCK_QUOTE(DRYDOCK_ABI_MINOR) " and");
  EXPECT_EQ(worker.probes, 0);
}

TEST_F(PluginIndexTest, ANoteThatContradictsThePluginIsRefused) {
  std::ostringstream bytes;
  bytes << std::ifstream(SAMPLE_PLUGIN, std::ios::binary).rdbuf();
  std::string other = bytes.str();
  other.replace(other.find("\nversion=1.2.3\n"), 15, "\nversion=1.2.4\n");
  std::ofstream(plugins / "other.so", std::ios::binary) << other;
  EXPECT_SAYS(only_problem(), "contradicts itself: its note says test.worker 1.2.4");
}

TEST_F(PluginIndexTest, AMissingStageTypeNamesTheNearestOrTheProblems) {
  add("a.so");
  const auto message = [this](const std::string& name) -> std::string {
    try {
      scan().require(name, "p.yaml:3:5");
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_SAYS(message("sampel"), "p.yaml:3:5");
  EXPECT_SAYS(message("sampel"), "did you mean 'sample'?");
  std::ofstream(plugins / "bad.so") << "text";
  EXPECT_SAYS(message("other"), "bad.so is no ELF file");
}

TEST_F(PluginIndexTest, AMissingFolderIsAProblem) {
  const PluginIndex index = PluginIndex::scan({plugins / "missing"}, worker);
  ASSERT_EQ(index.problems().size(), 1u);
  EXPECT_SAYS(index.problems()[0].sentence, "cannot be read");
}

TEST(Digest, OfAFile) {
  TemporaryFolder folder;
  std::ofstream(folder / "abc") << "abc";
  EXPECT_EQ(sha256_of_file(folder / "abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_THROW(sha256_of_file(folder / "missing"), Error);
}

}  // namespace
}  // namespace drydock
