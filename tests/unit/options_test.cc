#include "options.h"

#include <gtest/gtest.h>

#include "frontend.h"

namespace drydock {
namespace {

using nlohmann::json;
using Texts = std::map<std::string, std::string>;

const json schema = json::parse(R"({
  "type": "object", "additionalProperties": false,
  "properties": {
    "command": {"type": "array", "items": {"type": "string"}},
    "count": {"type": "integer", "default": 1},
    "tag": {"type": "string", "default": "latest"},
    "wait": {"type": "string", "format": "duration", "default": "1m"},
    "webhook": {"type": "string", "writeOnly": true},
    "headers": {"type": "object", "additionalProperties": {"type": "string", "writeOnly": true}},
    "keys": {"type": "array", "items": {"type": "string", "writeOnly": true}}}})");

StageSpec stage_with(const std::string& with) {
  return parse_pipeline("drydock: 1\nstages:\n- uses: x\n  with: " + with + "\n", "p.yaml")
      .stages[0];
}

Scope sample() {
  Scope scope;
  scope.vars = {{"to", "1.10"}, {"n", 2}, {"none", nullptr}};
  scope.secret = [](const std::string& name) {
    return name == "hook" ? std::optional<std::string>("http://u:p@h/") : std::nullopt;
  };
  scope.outputs["build"]["token"] = {"t0k3n", "", true};
  return scope;
}

ResolvedOptions resolved(const std::string& with) {
  return resolve_options(stage_with(with), schema, sample());
}
std::string refusal(const std::string& with) {
  return error_of([&] { resolved(with); });
}

TEST(Options, AreEvaluatedCheckedAndCompleted) {
  EXPECT_EQ(
      resolved("{command: [a, '${{ vars.to }}'], wait: 2s}").values,
      json::parse(R"({"command": ["a", "1.10"], "count": 1, "tag": "latest", "wait": 2000})"));
  EXPECT_EQ(
      refusal("{count: '${{ vars.to }}'}"),
      "p.yaml:4:17: option 'count' of stage 'x': found '1.10' (a text), allowed: a whole number.");
}

TEST(Options, TakeANumberForTheTextThatItWasWrittenAs) {
  EXPECT_EQ(resolved("{tag: '${{ vars.n }}'}").values["tag"], "2");
  EXPECT_EQ(resolved("{count: '${{ vars.n }}'}").values["count"], 2);
}

// What earlier waves of a rollout have promoted fills what the pipeline leaves open.
TEST(Options, TakeWhatWasPromoted) {
  const json pinned = json::parse(
      R"({"type": "object", "properties": {"digests": {"type": "string", "promoted": "digests"},
          "other": {"type": "string"}}})");
  Scope scope = sample();
  EXPECT_FALSE(resolve_options(stage_with("{}"), pinned, scope).values.contains("digests"));
  scope.promoted = {{"x", {{"digests", "sha256:1"}, {"other", "no"}}}, {"y", {{"digests", "no"}}}};
  EXPECT_EQ(resolve_options(stage_with("{}"), pinned, scope).values,
            (json{{"digests", "sha256:1"}}));
  EXPECT_EQ(resolve_options(stage_with("{digests: own}"), pinned, scope).values["digests"], "own");
}

TEST(Options, WithoutAValueAreAbsent) {
  EXPECT_EQ(resolved("{tag: '${{ vars.none }}', count: }").values["tag"], "latest");
  EXPECT_EQ(resolved("{tag: '${{ vars.none }}', count: }").values["count"], 1);
  const ResolvedOptions options = resolved("{webhook: '${{ secrets.unset }}'}");
  EXPECT_TRUE(options.secrets.empty());
  EXPECT_FALSE(options.values.contains("webhook"));
}

TEST(Options, ThatAreSecretAreTakenApart) {
  const ResolvedOptions options = resolved(
      "{webhook: '${{ secrets.hook }}', headers: {a/b: 'x ${{ secrets.hook }}'}, keys: [one, "
      "two]}");
  EXPECT_EQ(options.values.dump(),
            R"({"count":1,"headers":{},"keys":[null,null],"tag":"latest","wait":60000})");
  EXPECT_EQ(options.secrets, (Texts{{"/webhook", "http://u:p@h/"},
                                    {"/headers/a~1b", "x http://u:p@h/"},
                                    {"/keys/0", "one"},
                                    {"/keys/1", "two"}}));
  EXPECT_EQ(options.secret_texts, (Texts{{"/webhook", "${{ secrets.hook }}"},
                                         {"/headers/a~1b", "x ${{ secrets.hook }}"},
                                         {"/keys/0", "one"},
                                         {"/keys/1", "two"}}));
  EXPECT_EQ(resolve_secret_texts(options.secret_texts, sample()), options.secrets);
}

TEST(Options, ThatAreShownHoldNoSecret) {
  const std::string sentence = refusal("{tag: 'a${{ stages.build.outputs.token }}'}");
  EXPECT_NE(sentence.find("option 'tag' of stage 'x': found a secret"), std::string::npos);
  EXPECT_EQ(sentence.find("t0k3n"), std::string::npos);
}

TEST(Options, ThatAreNotKnownYetAreLeftOutAndNamed) {
  const ResolvedOptions options =
      resolved("{command: [a, '${{ stages.pull.outputs.x }}', b], tag: '${{ env.T }}', count: 3}");
  EXPECT_EQ(options.values, json::parse(R"({"count": 3, "wait": 60000})"));
  EXPECT_EQ(options.unknown,
            (Texts{{"/command", "after pull"}, {"/tag", "when the stage starts"}}));
}

TEST(Options, InTheJournalAreRefusedWhenTheyCannotBeEvaluatedAgain) {
  EXPECT_NE(error_of([] {
              resolve_secret_texts({{"/a", "${{ env.X }}"}}, sample());
            }).find("the journal's option 'a': found a value that is known only when"),
            std::string::npos);
}

}  // namespace
}  // namespace drydock
