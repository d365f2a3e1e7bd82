#include "pipeline.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "files.h"
#include "frontend.h"

namespace drydock {
namespace {

using namespace std::chrono_literals;

std::string refusal(const std::string& text) {
  return error_of([&] { parse_pipeline(text, "p.yaml"); });
}
// Of a pipeline with one stage that has these lines too.
std::string stage_refusal(const std::string& lines) {
  return refusal("drydock: 1\nstages:\n  - uses: exec\n    " + lines + "\n");
}
std::string head_refusal(const std::string& lines) {
  return refusal("drydock: 1\n" + lines + "\nstages: [{uses: exec}]\n");
}

constexpr const char* whole = R"(drydock: 1
name: sample
summary: Upgrade the sample
recognise: { image: langgenius/dify-api }
deployment: { dir: app, files: [a.yaml, b.yaml], project: auto, profiles: [p] }
vars:
  to: { required: true, help: release tag }
  url: http://127.0.0.1/
  tag: 1.10
  list: { default: [1, 2] }
secrets:
  hook: { env: HOOK_URL, optional: true }
  db: { dotenv: DB_PASSWORD }
  file: { file: key.txt }
  vault: { command: [vault, read] }
plugins:
  org.example.exec: { version: 1.0.0 }
stages:
  - exec: [/bin/true, 7]
    timeout: 30m
  - id: up
    name: Start all
    uses: compose-up
    with: { wait: 2m }
    when: vars.to != '1.0'
    retry: { times: 3, delay: 20s }
    on_failure: continue
    rollback_timeout: 1h
    limits: { memory: 512M }
finally:
  - { uses: notify, with: { webhook: "${{ secrets.hook }}" } }
on_failure: stop
)";

TEST(Pipeline, IsReadWhole) {
  const Pipeline pipeline = parse_pipeline(whole, "/x/p.yaml");
  EXPECT_EQ(pipeline.name, "sample");
  EXPECT_EQ(pipeline.recognise_image, "langgenius/dify-api");
  EXPECT_EQ(pipeline.deployment.dir, "app");
  EXPECT_EQ(pipeline.deployment.files, (std::vector<std::string>{"a.yaml", "b.yaml"}));
  EXPECT_EQ(pipeline.deployment.project, std::nullopt);
  EXPECT_TRUE(pipeline.vars.at("to").required);
  EXPECT_EQ(pipeline.vars.at("tag").value, "1.10");
  EXPECT_EQ(pipeline.vars.at("list").value, (nlohmann::json{1, 2}));
  EXPECT_TRUE(pipeline.secrets.at("hook").optional);
  EXPECT_EQ(pipeline.secrets.at("file").value.at(0), "/x/key.txt");
  EXPECT_EQ(pipeline.secrets.at("vault").value.size(), 2u);
  EXPECT_EQ(pipeline.plugins.at("org.example.exec").version, "1.0.0");
  EXPECT_FALSE(pipeline.rollback_on_failure);
  ASSERT_EQ(pipeline.stages.size(), 2u);
  const StageSpec& exec = pipeline.stages[0];
  EXPECT_EQ(exec.uses, "exec");
  EXPECT_EQ(exec.id, "exec");
  EXPECT_EQ(exec.with.dump(), R"({"command":["/bin/true",7]})");
  EXPECT_EQ(exec.places.at("/command/1").text(), "/x/p.yaml:19:23");
  EXPECT_EQ(exec.timeout, 30min);
  const StageSpec& up = pipeline.stages[1];
  EXPECT_EQ(up.name, "Start all");
  EXPECT_EQ(up.retry.times, 3u);
  EXPECT_EQ(up.retry.delay, 20s);
  EXPECT_TRUE(up.continue_on_failure);
  EXPECT_EQ(up.rollback_timeout, 1h);
  EXPECT_EQ(up.memory_limit, 512'000'000);
  EXPECT_EQ(up.when, "vars.to != '1.0'");
  ASSERT_EQ(pipeline.finally.size(), 1u);
}

TEST(Pipeline, HasDefaults) {
  const Pipeline pipeline = parse_pipeline("drydock: 1\nstages: [{uses: x}]\n", "dir/sample.yaml");
  EXPECT_EQ(pipeline.name, "sample");
  EXPECT_EQ(pipeline.deployment.dir, ".");
  EXPECT_EQ(pipeline.deployment.files, std::nullopt);
  EXPECT_TRUE(pipeline.rollback_on_failure);
  EXPECT_EQ(pipeline.stages[0].timeout, std::nullopt);
  EXPECT_EQ(pipeline.stages[0].memory_limit, 0);
}

TEST(Pipeline, OfAnotherFormatIsRefusedBeforeItsKeys) {
  EXPECT_EQ(
      refusal("drydock: 2\nnew: x\n"),
      "p.yaml:1:10: found '2' in 'drydock:', allowed: 1, the format version that this Drydock "
      "reads.");
  EXPECT_EQ(refusal("stages: []\n"),
            "p.yaml:1:1: found no 'drydock:' in the pipeline, allowed: 'drydock: 1' as its first "
            "line, the format version.");
  EXPECT_EQ(refusal("just text"),
            "p.yaml:1:1: found 'just text' in the pipeline, allowed: a mapping that begins with "
            "'drydock: 1'.");
}

TEST(Pipeline, NamesUnknownKeysAndTheNearest) {
  EXPECT_EQ(
      head_refusal("stage: x"),
      "p.yaml:2:1: found the unknown key 'stage' in the pipeline, allowed: drydock, name, "
      "summary, recognise, deployment, vars, secrets, plugins, probe, stages, finally, on_failure; "
      "did you mean 'stages'?");
  EXPECT_EQ(
      stage_refusal("tiemout: 3s"),
      "p.yaml:4:5: found the unknown key 'tiemout' in a stage, allowed: id, name, uses, with, "
      "when, timeout, retry, on_failure, rollback_timeout, exec, include, parallel, limits; did "
      "you mean 'timeout'?");
  EXPECT_NE(head_refusal("include: a.yaml").find("found the unknown key"), std::string::npos);
}

TEST(Pipeline, AProbeIsTheOptionsOfItsStageType) {
  const Pipeline pipeline = parse_pipeline(
      "drydock: 1\nprobe: {url: 'http://x/', every: 1s}\nstages: [{exec: [/bin/true]}]\n",
      "p.yaml");
  ASSERT_TRUE(pipeline.probe);
  EXPECT_EQ(pipeline.probe->uses, "http-probe");
  EXPECT_EQ(pipeline.probe->with.at("every"), "1s");
  EXPECT_EQ(pipeline.probe->places.at("/every").text(), "p.yaml:2:34");
}

TEST(Pipeline, SaysWhatIsAllowedForEachKey) {
  const std::map<std::string, std::string> stage_cases = {
      {"timeout: 30",
       "p.yaml:4:14: found '30' in 'timeout:', allowed: a duration such as 90s or 1h30m."},
      {"timeout: 0s",
       "p.yaml:4:14: found '0s' in 'timeout:', allowed: a duration such as 90s or 1h30m."},
      {"retry: 3", "p.yaml:4:12: found '3' in 'retry:', allowed: a mapping with times, delay."},
      {"retry: {times: -1}",
       "p.yaml:4:20: found '-1' in 'times:', allowed: a whole number from 0 to 100."},
      {"limits: 64MiB", "p.yaml:4:13: found '64MiB' in 'limits:', allowed: a mapping with memory."},
      {"limits: {}", "p.yaml:4:13: found no 'memory:' in 'limits:', allowed: memory: SIZE."},
      {"limits: {memroy: 64MiB}",
       "p.yaml:4:14: found the unknown key 'memroy' in 'limits:', allowed: memory; did you mean "
       "'memory'?"},
      {"limits: {memory: much}",
       "p.yaml:4:22: found 'much' in 'memory:', allowed: a size such as 512M or 1GiB, at least 32 "
       "MiB, which a stage needs to start."},
      {"limits: {memory: 33554431}",
       "p.yaml:4:22: found '33554431' in 'memory:', allowed: a size such as 512M or 1GiB, at "
       "least 32 MiB, which a stage needs to start."},
      {"on_failure: rollback",
       "p.yaml:4:17: found 'rollback' in 'on_failure:' of a stage, allowed: continue; without the "
       "key "
       "a failure ends the run."},
      {"id: Up",
       "p.yaml:4:9: found 'Up' in 'id:', allowed: lower-case letters, digits, '_' and '-', a "
       "letter "
       "first."},
      {"with: [a]", "p.yaml:4:11: found a list in 'with:', allowed: a mapping of options."},
      {"exec: [a]",
       "p.yaml:3:5: found 'exec:' beside 'uses:' or 'with:' in a stage, allowed: 'exec:' alone, "
       "which "
       "means uses: exec, with: {command: ...}."},
      {"name: ${{ vars.x }}",
       "p.yaml:4:11: found an expression in 'name:', allowed: a text without ${{ }}; expressions "
       "are "
       "evaluated in 'with' and 'when' only."}};
  for (const auto& [lines, sentence] : stage_cases) EXPECT_EQ(stage_refusal(lines), sentence);
  const std::map<std::string, std::string> head_cases = {
      {"on_failure: rolback",
       "p.yaml:2:13: found 'rolback' in 'on_failure:', allowed: rollback or stop; did you mean "
       "'rollback'?"},
      {"deployment: {files: a}",
       "p.yaml:2:21: found 'a' in 'files:', allowed: auto or a list of texts."},
      {"vars: {x: {required: true, default: 1}}",
       "p.yaml:2:37: found both 'required: true' and 'default:' in the variable 'x', allowed: one "
       "of "
       "them."},
      {"vars: {1x: 1}",
       "p.yaml:2:8: found the name '1x' in 'vars:', allowed: letters, digits, '_' and '-', a "
       "letter or "
       "'_' first."},
      {"secrets: {x: {env: A, file: b}}",
       "p.yaml:2:14: found 2 sources in the secret 'x', allowed: exactly one of env, file, "
       "command, "
       "dotenv."},
      {"plugins: {x: {sha256: abc}}",
       "p.yaml:2:23: found 'abc' in 'sha256:', allowed: 64 hexadecimal digits."}};
  for (const auto& [lines, sentence] : head_cases) EXPECT_EQ(head_refusal(lines), sentence);
  EXPECT_EQ(refusal("drydock: 1\nstages:\n- compose-stop\n"),
            "p.yaml:3:3: found 'compose-stop' in a stage, allowed: a mapping; write 'uses: "
            "compose-stop'.");
  EXPECT_EQ(refusal("drydock: 1\nstages: []\n"),
            "p.yaml:2:9: found an empty list in 'stages:', allowed: at least one stage.");
  EXPECT_NE(stage_refusal("when: vars.to =").find("p.yaml:4:11: found '=' in the expression"),
            std::string::npos);
}

TEST(Pipeline, TakesStagesFromOtherFiles) {
  std::string folder = ::testing::TempDir() + "drydock-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  std::filesystem::create_directory(folder + "/parts");
  std::ofstream(folder + "/parts/a.yaml") << "drydock: 1\nstages:\n- {include: ../b.yaml}\n";
  std::ofstream(folder + "/b.yaml") << "drydock: 1\nstages: [{id: b, uses: exec}]\n";
  const std::string text =
      "drydock: 1\nstages: [{id: one, uses: exec}, {include: parts/a.yaml}, {id: two, uses: "
      "exec}]\n"
      "finally: [{include: c.yaml}]\n";
  std::ofstream(folder + "/c.yaml") << "drydock: 1\nstages: [{uses: notify}, {uses: notify}]\n";
  const Pipeline pipeline = parse_pipeline(text, folder + "/p.yaml");
  ASSERT_EQ(pipeline.stages.size(), 3u);
  EXPECT_EQ(pipeline.stages[1].id, "b");
  EXPECT_EQ(pipeline.stages[1].place.text(), folder + "/b.yaml:2:10");
  EXPECT_EQ(pipeline.finally.size(), 2u);
  ASSERT_EQ(pipeline.includes.size(), 3u);
  const std::vector<std::string> files = {"/parts/a.yaml", "/b.yaml", "/c.yaml"};
  for (std::size_t i = 0; i < files.size(); ++i) {
    EXPECT_EQ(pipeline.includes[i].file, folder + files[i]);
    EXPECT_EQ(pipeline.includes[i].sha256, sha256_of_file(folder + files[i]));
  }
  // The same file again is no other file.
  const std::string twice = "drydock: 1\nstages: [{include: c.yaml}, {include: parts/../c.yaml}]\n";
  EXPECT_EQ(parse_pipeline(twice, folder + "/p.yaml").includes.size(), 1u);
  std::filesystem::remove_all(folder);
}

TEST(Pipeline, IncludesAndNothingBeside) {
  EXPECT_EQ(stage_refusal("include: a.yaml"),
            "p.yaml:3:5: found the unknown key 'uses' in an include, allowed: include.");
}

TEST(Pipeline, KnowsWhichStagesStandInOneBlock) {
  const Pipeline pipeline = parse_pipeline(
      "drydock: 1\nstages:\n- uses: a\n- parallel: [{uses: b}, {uses: c}]\n"
      "- parallel: [{uses: d}]\n- uses: e\nfinally: [{uses: f}]\n",
      "p.yaml");
  std::string blocks;
  for (const StageSpec& stage : pipeline.stages) {
    blocks += stage.uses + std::to_string(stage.block) + " ";
  }
  EXPECT_EQ(blocks, "a0 b1 c1 d2 e0 ");
}

TEST(Pipeline, HasEachWrittenIdOnce) {
  EXPECT_EQ(
      refusal("drydock: 1\nstages:\n- {id: a, uses: x}\n- {id: a, uses: y}\n"),
      "p.yaml:4:8: found the id 'a' a second time in the pipeline, allowed: once; the first is at "
      "p.yaml:3:8.");
  EXPECT_EQ(refusal("drydock: 1\nstages: [{uses: x}, {uses: x}]\n"), "no error");
}

RC_GTEST_PROP(Pipeline, IsReadOrRefusedAfterAnyDamage, ()) {
  std::string text = whole;
  const auto damages = *rc::gen::container<std::vector<std::pair<std::size_t, char>>>(
      rc::gen::pair(rc::gen::inRange<std::size_t>(0, text.size()),
                    rc::gen::elementOf(std::string(" :[]{}-'\"&*!|\n#x1${}"))));
  for (const auto& [at, character] : damages) text[at] = character;
  const std::string sentence = refusal(text);
  RC_ASSERT(sentence == "no error" || sentence.rfind("p.yaml", 0) == 0);
}

}  // namespace
}  // namespace drydock
