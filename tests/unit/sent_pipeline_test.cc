#include "sent_pipeline.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "files.h"
#include "frontend.h"
#include "given_inputs.h"
#include "temporary_dir.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr auto stage = "drydock: 1\nstages:\n  - { uses: exec, with: { command: [/bin/true] } }\n";

class SentPipelineTest : public ::testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) {
    const std::string path = here_.path() + "/" + name;
    fs::create_directories(fs::path(path).parent_path());
    write_file_atomically(path, text);
    return path;
  }
  TemporaryDir here_, there_;
};

TEST_F(SentPipelineTest, IsThereWhatItWasHere) {
  write("parts/more.yaml", stage);
  const std::string file =
      write("pipelines/a/sample.yaml",
            "drydock: 1\nsecrets: { s: { file: token }, t: { file: /etc/token } }\n"
            "stages:\n  - include: ../../parts/more.yaml\n");
  const SentPipeline sent = pack_pipeline(load_pipeline(file));
  EXPECT_EQ(sent.file, "pipelines/a/sample.yaml");
  EXPECT_EQ(sent.files.size(), 2u);

  const StateDir state(there_.path() + "/app/.drydock");
  const std::string kept = keep_pipeline(sent_pipeline_from_json(to_json(sent)), state);
  EXPECT_EQ(keep_pipeline(sent, state), kept) << "the same once more";
  struct stat status {};
  ASSERT_EQ(::stat(kept.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  const Pipeline pipeline = load_pipeline_of_run(kept, state, there_.path() + "/app");
  EXPECT_EQ(pipeline.sha256, load_pipeline(file).sha256);
  EXPECT_EQ(pipeline.stages.size(), 1u);
  EXPECT_EQ(pipeline.secrets.at("s").value.at(0), there_.path() + "/app/token");
  EXPECT_EQ(pipeline.secrets.at("t").value.at(0), "/etc/token");
}

TEST_F(SentPipelineTest, HasNotChangedSinceItWasRead) {
  const std::string file = write("sample.yaml", stage);
  const Pipeline pipeline = load_pipeline(file);
  write("sample.yaml", std::string(stage) + "name: other\n");
  EXPECT_EQ(error_of([&] { pack_pipeline(pipeline); }).find(file + " has changed since"), 0u);
}

TEST_F(SentPipelineTest, IncludesNothingThatIsThereByChance) {
  const std::string other = write("other.yaml", stage);
  SentPipeline sent;
  sent.file = "sample.yaml";
  sent.files[sent.file] = "drydock: 1\nstages:\n  - include: " + other + "\n";
  EXPECT_EQ(error_of([&] { unpack_pipeline(sent, there_.path()); }),
            "sample.yaml includes " + other +
                ", which was not sent with it; name it from the pipeline's folder");
}

TEST_F(SentPipelineTest, IsRefusedWhereItLeavesItsFolder) {
  const auto refusal = [](const json& document) {
    return error_of([&] { sent_pipeline_from_json(document); });
  };
  for (const char* name : {"../x", "/etc/x", "a/../../x", "", ".", "a/", "./a"}) {
    EXPECT_NE(refusal({{"file", name}, {"files", {{name, stage}}}}).find("no relative path"),
              std::string::npos)
        << name;
  }
  EXPECT_NE(refusal({{"file", "a"}, {"files", {{"b", stage}}}}).find("no file 'a'"),
            std::string::npos);
  EXPECT_NE(refusal({{"file", "a"}, {"files", {{"a", 1}}}}).find("no text"), std::string::npos);
  EXPECT_NE(refusal("text").find("another document"), std::string::npos);
}

}  // namespace
}  // namespace drydock
