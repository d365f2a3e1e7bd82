#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "frontend.h"

namespace drydock {
namespace {

using nlohmann::json;

const std::string sample = R"(drydock: 1
vars:
  to: { required: true, help: release tag }
  tag: '1'
  count: 3
  none: {}
stages:
  - exec: ["${{ vars.url ?? 'x' }}"]
)";

json resolved(const std::vector<std::string>& assignments,
              const std::vector<std::string>& files = {}) {
  return resolve_vars(parse_pipeline(sample, "p.yaml"), read_vars(files, assignments));
}
std::string refusal(const std::vector<std::string>& assignments) {
  return error_of([&] { resolved(assignments); });
}

TEST(Variables, TakeDefaultsAndAssignments) {
  EXPECT_EQ(resolved({"to=1.10"}),
            json::parse(R"({"to": "1.10", "tag": "1", "count": 3, "none": null})"));
  EXPECT_EQ(resolved({"to=2", "count=4"})["count"], 4);
  EXPECT_EQ(resolved({"to=[1, {a: b}]"})["to"], json::parse(R"([1, {"a": "b"}])"));
  EXPECT_EQ(resolved({"to=a: b #c"})["to"], "a: b #c");  // needs no quotes
  EXPECT_EQ(resolved({"to='2'"})["to"], "2");
  EXPECT_EQ(resolved({"to=x=y"})["to"], "x=y");
  EXPECT_EQ(resolved({"to="})["to"], "");
}

TEST(Variables, StayTextsWhenTheirDefaultIsOne) {
  EXPECT_EQ(resolved({"to=x", "tag=2"})["tag"], "2");
}

TEST(Variables, ThatStandBeforeACoalesceNeedNoDeclaration) {
  EXPECT_EQ(resolved({"to=x", "url=http://a/"})["url"], "http://a/");
}

TEST(Variables, ThatAreUnknownOrMissingAreNamed) {
  EXPECT_EQ(
      refusal({"to=x", "cuont=1"}),
      "--var: found the variable 'cuont', which p.yaml does not declare, allowed: count, none, "
      "tag, to, url; did you mean 'count'?");
  EXPECT_EQ(
      refusal({}),
      "p.yaml:3:7: the variable 'to' (release tag) is required and has no value; give one with "
      "--var to=VALUE.");
  EXPECT_EQ(refusal({"to"}), "--var: found 'to', allowed: NAME=VALUE, for example --var to=1.2.0.");
  EXPECT_EQ(refusal({"to=[1"}).rfind("--var to:1:", 0), 0u);
}

TEST(Variables, ComeFromFilesBeforeAssignments) {
  std::string file = (std::filesystem::temp_directory_path() / "drydock-XXXXXX").string();
  ::close(::mkstemp(file.data()));
  std::ofstream(file) << "to: 1.2\ncount: 5\n";
  EXPECT_EQ(resolved({"count=6"}, {file}),
            json::parse(R"({"to": 1.2, "tag": "1", "count": 6, "none": null})"));
  std::ofstream(file) << "too: 1\n";
  EXPECT_EQ(
      error_of([&] { resolved({}, {file}); }),
      file +
          ":1:1: found the variable 'too', which p.yaml does not declare, allowed: count, none, "
          "tag, to, url; did you mean 'to'?");
  std::filesystem::remove(file);
}

TEST(SingleStage, TakesOptionsFromTheCommandLine) {
  const Pipeline pipeline =
      single_stage_pipeline("exec", {"command=[/bin/true, a]", "mode=fast", "wait=2m"});
  ASSERT_EQ(pipeline.stages.size(), 1u);
  EXPECT_EQ(pipeline.stages[0].with,
            json::parse(R"({"command": ["/bin/true", "a"], "mode": "fast", "wait": "2m"})"));
  EXPECT_EQ(error_of([&] { check_pipeline(pipeline, sample_plugins()); }), "no error");
  EXPECT_EQ(
      error_of([] {
        check_pipeline(single_stage_pipeline("exec", {"command=[x]", "mode=fats"}),
                       sample_plugins());
      }),
      "--with mode: option 'mode' of stage 'exec': found 'fats' (a text), allowed: one of fast, "
      "safe; did you mean 'fast'?");
  EXPECT_NE(error_of([] {
              single_stage_pipeline("exec", {"a=1", "a=2"});
            }).find("a second time"),
            std::string::npos);
}

}  // namespace
}  // namespace drydock
