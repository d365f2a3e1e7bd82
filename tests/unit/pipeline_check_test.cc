#include <gtest/gtest.h>

#include "frontend.h"

namespace drydock {
namespace {

// Of a pipeline with these lines before the stages, and these stages.
std::string refusal(const std::string& stages, const std::string& head = "vars: {to: '1'}") {
  return error_of([&] { checked("drydock: 1\n" + head + "\nstages:\n" + stages); });
}

bool holds(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return true;
  ADD_FAILURE() << text;
  return false;
}

TEST(CheckPipeline, AcceptsWhatFits) {
  EXPECT_EQ(refusal("- id: a\n  exec: [x, '${{ vars.to }}']\n"
                    "- exec: ['${{ stages.a.outputs.result }}', '${{ env.ANY }}']\n"
                    "  when: before.env.X == 'y' && run.id != 0\n"),
            "no error");
}

TEST(CheckPipeline, NamesUnknownStageTypesAndOptions) {
  holds(refusal("- uses: exce\n"), "exec");
  EXPECT_EQ(
      refusal("- uses: exec\n  with:\n    comand: [x]\n"),
      "p.yaml:6:5: option 'comand' of stage 'exec': found an unknown option, allowed: command, "
      "mode, secret_environment, shell, verify, wait; did you mean 'command'?");
  EXPECT_EQ(refusal("- uses: exec\n"),
            "p.yaml:4:3: options of stage 'exec': found no 'command', which is required: a list of "
            "texts with at least 1 entry or a text that is not empty.");
  EXPECT_EQ(
      refusal("- exec: [x, 3]\n"),
      "p.yaml:4:13: option 'command[1]' of stage 'exec': found 3 (a number), allowed: a text; "
      "put it in quotes.");
}

TEST(CheckPipeline, RefusesASchemaThatNobodyMayFollow) {
  const PluginIndex plugins =
      PluginIndex::of(plugins_with("odd", nlohmann::json::parse(R"({"allOf": [{"$ref": "#"}]})")));
  const Pipeline pipeline = parse_pipeline("drydock: 1\nstages: [{uses: odd}]\n", "p.yaml");
  EXPECT_EQ(error_of([&] { check_pipeline(pipeline, plugins); }),
            "p.yaml:2:10: the options schema of 'odd' in /nowhere/odd.so refers to itself without "
            "end; tell the author of the plugin.");
}

TEST(CheckPipeline, NamesUndefinedNames) {
  EXPECT_EQ(
      refusal("- exec: ['${{ vars.too }}']\n"),
      "p.yaml:4:10: option 'command[0]' of stage 'exec': found 'vars.too', which is not defined, "
      "allowed: vars.to; did you mean 'vars.to'?");
  EXPECT_EQ(refusal("- exec: ['${{ vars.too ?? 1 }}']\n"), "no error");
  EXPECT_EQ(refusal("- exec: [x]\n  when: var.to\n"),
            "p.yaml:5:9: found 'var.to', which is not defined, allowed: vars.NAME, secrets.NAME, "
            "env.NAME, before.env.NAME, run.id, run.status, run.reason, run.failed_stage, "
            "stages.ID.outputs.NAME, promoted.ID.NAME.");
  holds(refusal("- exec: ['${{ run.number }}']\n"), "allowed: run.id, run.status");
  EXPECT_EQ(refusal("- exec: ['${{ promoted.exec.commit ?? vars.to }}']\n"), "no error");
  holds(refusal("- exec: ['${{ promoted.exce.commit }}']\n"), "did you mean 'promoted.exec'?");
  holds(refusal("- exec: ['${{ run.status }}']\n"), "known in 'finally:' only");
  holds(refusal("- exec: ['${{ vars.to }']\n"), "p.yaml:4:10: found '}' in the expression");
}

TEST(CheckPipeline, LetsExpressionsReferOnlyToWhatEndedBefore) {
  const std::string use = "- id: b\n  exec: ['${{ stages.a.outputs.x }}']\n";
  const std::string define = "- {id: a, exec: [x]}\n";
  EXPECT_EQ(refusal(define + use), "no error");
  EXPECT_EQ(
      refusal(use + define),
      "p.yaml:5:10: option 'command[0]' of stage 'b': found stages.a, which has not ended by then "
      "(line 6), allowed: stages that come earlier; none does.");
  holds(refusal("- {id: aa, exec: [x]}\n" + use), "found stages.a, which is no stage, allowed: aa");
  holds(refusal("- {exec: [x]}\n- {exec: [y]}\n- exec: ['${{ stages.exec.outputs.x }}']\n"),
        "found stages.exec, which 2 stages are called (line 4, line 5), allowed: one");
}

TEST(CheckPipeline, LetsStagesOfABlockReferOnlyToWhatCameBeforeIt) {
  const std::string a = "  - {id: a, exec: [x]}\n";
  const std::string use = "  - {id: b, exec: ['${{ stages.a.outputs.x }}']}\n";
  const std::string block = "- parallel:\n";
  EXPECT_EQ(refusal("- {id: a, exec: [x]}\n" + block + use), "no error");
  EXPECT_EQ(refusal(block + a + "- {id: c, exec: ['${{ stages.a.outputs.x }}']}\n"), "no error");
  EXPECT_EQ(refusal(block + a + block + use), "no error");
  holds(
      refusal(block + a + use),
      "p.yaml:6:20: option 'command[0]' of stage 'b': found stages.a, which runs at the same time "
      "(line 5), allowed: stages that come earlier; none does.");
  holds(refusal(block + use + a), "found stages.a, which runs at the same time (line 6)");
}

TEST(CheckPipeline, LetsFinallyKnowHowItEnded) {
  EXPECT_EQ(refusal("- {id: a, exec: [x]}\nfinally:\n- exec: ['${{ run.status }}', "
                    "'${{ stages.a.outputs.x }}']\n"),
            "no error");
}

TEST(CheckPipeline, KeepsSecretsInSecretOptions) {
  const std::string head = "secrets: {hook: {env: H}}";
  EXPECT_EQ(
      refusal("- exec: [x, '${{ env.DB_PASSWORD }}']\n", head),
      "p.yaml:4:13: option 'command[1]' of stage 'exec': found env.DB_PASSWORD, which is secret "
      "by its name, allowed: a secret declared with 'dotenv: DB_PASSWORD', in an option that "
      "'exec' keeps secret.");
  EXPECT_EQ(refusal("- {uses: notify, with: {webhook: '${{ secrets.hook }}'}}\n", head),
            "no error");
  EXPECT_EQ(
      refusal("- exec: [x, '${{ secrets.hook }}']\n", head),
      "p.yaml:4:13: option 'command[1]' of stage 'exec': found secrets.hook, allowed: secrets "
      "only in options that 'exec' keeps secret (secret_environment).");
  EXPECT_EQ(
      refusal(
          "- uses: exec\n  with: {command: [x], secret_environment: {A: '${{ secrets.hook }}'}}\n",
          head),
      "no error");
  holds(refusal("- {uses: notify, with: {webhook: '${{ secrets.hok }}'}}\n", head),
        "did you mean 'secrets.hook'?");
  holds(refusal("- {exec: [x], when: \"secrets.hook == 'a'\"}\n", head),
        "p.yaml:4:21: found secrets.hook in a condition");
  holds(refusal("- {uses: notify, with: {webhook: 'a${{ env.X }}'}}\n", head),
        "found env.X in a secret option, allowed: secrets.NAME and vars.NAME");
}

TEST(CheckPipeline, HoldsPins) {
  const std::string stages = "- exec: [x]\n";
  EXPECT_EQ(refusal(stages, "plugins: {org.example.exec: {version: 1.0.0}}"), "no error");
  holds(
      refusal(stages, "plugins: {org.example.exec: {version: 1.0.1}}"),
      "p.yaml:2:29: found version 1.0.0 of plugin 'org.example.exec' in /nowhere/exec.so, allowed: "
      "1.0.1");
  EXPECT_EQ(refusal(stages, "plugins: {org.example.exec: {version: '>=1.0 <2'}}"), "no error");
  holds(refusal(stages, "plugins: {org.example.exec: {version: '>=1.1 <2'}}"),
        "found version 1.0.0 of plugin 'org.example.exec' in /nowhere/exec.so, allowed: >=1.1 <2; "
        "install that version or change the pin.");
  holds(refusal(stages, "plugins: {org.example.exec: {version: latest}}"),
        "p.yaml:2:39: found 'latest' in 'version:', allowed: a version such as 1.2.0, or bounds "
        "such as "
        "\">=1.2 <2\"");
  holds(refusal(stages, "plugins: {org.example.exce: {version: 1.0.0}}"),
        "did you mean 'org.example.exec'?");
  holds(refusal(stages, "plugins: {org.example.exec: {sha256: " + std::string(64, 'a') + "}}"),
        "/nowhere/exec.so");
}

TEST(CheckPipeline, TakesAnOptionWithoutValueForAbsent) {
  EXPECT_EQ(refusal("- uses: exec\n  with:\n    command: [x]\n    mode:\n"), "no error");
}

}  // namespace
}  // namespace drydock
