#include "schema.h"

#include <gtest/gtest.h>

#include "options_schema.h"
#include "sample_options.h"

namespace drydock {
namespace {

using nlohmann::json;

const json schema = json::parse(R"({
  "type": "object", "additionalProperties": false, "required": ["command"],
  "definitions": {"command": {"type": ["array", "string"], "items": {"type": "string"},
                              "minItems": 1, "minLength": 1}},
  "properties": {
    "command": {"$ref": "#/definitions/command"},
    "count": {"type": "integer", "minimum": 1, "maximum": 9},
    "restore": {"enum": ["always", "if-changed", "never"]},
    "shell": {"type": "boolean"},
    "wait": {"type": "string", "format": "duration", "default": "1m30s"},
    "limit": {"type": "string", "format": "size"},
    "name": {"type": "string", "pattern": "^[a-z]+$"},
    "password": {"type": "string", "minLength": 8, "writeOnly": true},
    "nested": {"type": "object", "default": {},
               "properties": {"deep": {"type": "string", "default": "x"}}},
    "either": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
    "databases": {"type": "array", "items": {
      "type": "object", "additionalProperties": false, "required": ["service"],
      "properties": {
        "service": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        "kind": {"enum": ["auto", "postgresql"], "default": "auto"},
        "timeout": {"type": "string", "format": "duration", "default": "1h"},
        "secrets": {"type": "array", "items": {"type": "string", "writeOnly": true}}}}},
    "exclusive": {"type": "object", "minProperties": 2}
  }})");

// The problem of {"command": ["x"], KEY: value}, as "POINTER SENTENCE".
std::string problem(const std::string& key, const json& value) {
  json options = {{"command", {"x"}}};
  options[key] = value;
  const auto found = apply_schema(schema, options);
  return found ? found->pointer + " " + found->sentence : "fits";
}

TEST(OptionsSchema, IsUsedOnlyWhereAWalkAlongItEnds) {
  const auto problem = [](const std::string& text) { return OptionsSchema(text).problem(); };
  for (
      const char* endless :
      {R"({"$ref": "#"})", R"({"allOf": [{"$ref": "#"}]})",
       R"({"anyOf": [{}, {"not": {"$ref": "#"}}]})",
       R"({"properties": {"a": {"$ref": "#/properties/a"}}})",
       R"({"properties": {"a": {"$ref": "#/definitions/b"}},
            "definitions": {"b": {"$ref": "#/definitions/c"}, "c": {"$ref": "#/definitions/b"}}})",
       R"({"definitions": {"b": {"default": {}, "properties": {"b": {"$ref": "#/definitions/b"}}}}})"}) {
    EXPECT_EQ(problem(endless), "refers to itself without end") << endless;
    EXPECT_EQ(OptionsSchema(endless).json(), json::object());
  }
  for (const char* ends :
       {R"({})", R"({"properties": {"deeper": {"$ref": "#"}}})", R"({"items": {"$ref": "#"}})",
        R"({"properties": {"a": {"$ref": "#/properties/b"}, "b": {}}})",
        R"({"$ref": "#/nowhere"})"}) {
    EXPECT_EQ(problem(ends), "") << ends;
    EXPECT_EQ(OptionsSchema(ends).json(), json::parse(ends));
  }
  EXPECT_EQ(problem("[]"), "is no JSON object");
  EXPECT_NE(problem("{\n  1").find("is no JSON object: at line 2, column 3: "), std::string::npos);
  std::string deep = "{}";
  for (int i = 0; i < 64; ++i) deep = R"({"not": )" + deep + "}";
  EXPECT_EQ(problem(deep), "has more than 64 objects and lists within one another");
}

TEST(SampleOptions, CopeWithASchemaThatNobodyChecked) {
  for (const char* text :
       {R"({"enum": []})", R"({"oneOf": [], "type": []})", R"({"anyOf": 1})", "true"}) {
    EXPECT_EQ(sample_value("name", json::parse(text)), "name") << text;
  }
  EXPECT_EQ(sample_value("name", json::parse(R"({"type": "object", "required": ["a"]})")),
            json({{"a", "a"}}));
}

TEST(Schema, SaysWhatWasFoundAndWhatIsAllowed) {
  EXPECT_EQ(problem("command", 3),
            "/command found 3 (a number), allowed: a list of texts with at least 1 entry or a text "
            "that is not empty");
  EXPECT_EQ(problem("command", {"a", 3}),
            "/command/1 found 3 (a number), allowed: a text; put it in quotes");
  EXPECT_EQ(
      problem("command", json::array()),
      "/command found 0 entries, allowed: a list of texts with at least 1 entry or a text that "
      "is not empty");
  EXPECT_EQ(problem("count", "x"),
            "/count found 'x' (a text), allowed: a whole number from 1 to 9");
  EXPECT_EQ(problem("count", 10),
            "/count found 10 (a number), allowed: a whole number from 1 to 9");
  EXPECT_EQ(problem("count", 1.5),
            "/count found 1.5 (a number), allowed: a whole number from 1 to 9");
  EXPECT_EQ(
      problem("restore", "if-change"),
      "/restore found 'if-change' (a text), allowed: one of always, if-changed, never; did you "
      "mean 'if-changed'?");
  EXPECT_EQ(problem("shell", "yes"), "/shell found 'yes' (a text), allowed: true or false");
  EXPECT_EQ(problem("wait", 30),
            "/wait found 30 (a number), allowed: a duration such as 90s or 1h30m");
  EXPECT_EQ(problem("wait", "30"),
            "/wait found '30' (a text), allowed: a duration such as 90s or 1h30m");
  EXPECT_EQ(problem("limit", "many"),
            "/limit found 'many' (a text), allowed: a size such as 64MiB");
  EXPECT_EQ(problem("name", "A"), "/name found 'A' (a text), allowed: a text like ^[a-z]+$");
  EXPECT_EQ(problem("either", {{"a", 1}}),
            "/either found a mapping, allowed: a text or a list of texts");
  EXPECT_EQ(problem("either", {"a", 1}),
            "/either/1 found 1 (a number), allowed: a text; put it in quotes");
  EXPECT_EQ(problem("databases", json::array({{{"service", "db"}}, json::object()})),
            "/databases/1 found no 'service', which is required: a text or a list of texts");
}

TEST(Schema, NamesTheNearestOption) {
  json options = {{"comand", "x"}};
  const auto found = apply_schema(schema, options);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->key);
  EXPECT_EQ(found->pointer, "/comand");
  EXPECT_NE(found->sentence.find("; did you mean 'command'?"), std::string::npos);
}

TEST(Schema, NeverShowsASecret) {
  EXPECT_EQ(problem("password", "s3cret"),
            "/password found a secret text, allowed: a text of at least 8 characters");
  EXPECT_EQ(
      problem("password", 12345678),
      "/password found a secret that is no text, allowed: a text of at least 8 characters; put "
      "it in quotes");
}

TEST(Schema, AppliesDefaultsAtEveryDepthAndNormalises) {
  json options = {{"command", "x"}, {"limit", "64MiB"}, {"databases", {{{"service", {"db"}}}}}};
  ASSERT_FALSE(apply_schema(schema, options));
  EXPECT_EQ(options, json::parse(R"({"command": "x", "limit": 67108864, "wait": 90000,
    "nested": {"deep": "x"},
    "databases": [{"service": ["db"], "kind": "auto", "timeout": 3600000}]})"));
  EXPECT_EQ(problem("limit", 1024), "fits");  // a bare number is a size
}

TEST(Schema, NormalisesInsideOfBranches) {
  const json branches = json::parse(R"({"oneOf": [
    {"type": "string", "format": "duration"},
    {"type": "object", "properties": {"every": {"type": "string", "format": "duration"}}}]})");
  json text = "2s", object = {{"every", "3s"}}, wrong = "x";
  ASSERT_FALSE(apply_schema(branches, text));
  ASSERT_FALSE(apply_schema(branches, object));
  EXPECT_EQ(text, 2000);
  EXPECT_EQ(object["every"], 3000);
  EXPECT_TRUE(apply_schema(branches, wrong));
}

TEST(Schema, LeavesTheRestToValijson) {
  EXPECT_NE(problem("exclusive", {{"a", 1}}), "fits");
  json value = "x";
  const auto broken = apply_schema(json{{"type", "strin"}}, value);
  ASSERT_TRUE(broken);
  EXPECT_NE(broken->sentence.find("tell the author of the plugin"), std::string::npos);
}

TEST(Schema, AtLoadTimeAnExpressionFitsEverything) {
  const auto is_any = [](const json& value) { return value == "ANY"; };
  const json options = {{"command", {"a", "ANY"}}, {"count", "ANY"}, {"databases", "ANY"}};
  EXPECT_FALSE(check_schema(schema, options, is_any));
  EXPECT_TRUE(check_schema(schema, {{"count", "ANY"}}, is_any));  // no command
  EXPECT_TRUE(check_schema(schema, {{"command", "ANY"}, {"shell", "x"}}, is_any));
}

TEST(Schema, KnowsWhichOptionsAreSecret) {
  EXPECT_TRUE(is_write_only(schema, "/password"));
  EXPECT_TRUE(is_write_only(schema, "/databases/0/secrets/1"));
  EXPECT_FALSE(is_write_only(schema, "/databases/0/kind"));
  const json whole = json::parse(R"({"properties": {"a": {"writeOnly": true, "type": "object",
    "properties": {"b": {"type": "string"}}}}})");
  EXPECT_TRUE(is_write_only(whole, "/a/b"));  // all of what is secret is
  EXPECT_FALSE(is_write_only(schema, "/nowhere/at/all"));
  EXPECT_FALSE(is_write_only(schema, ""));
}

TEST(Schema, KnowsWhereOnlyATextFits) {
  EXPECT_TRUE(wants_text(schema, "/name"));
  EXPECT_TRUE(wants_text(schema, "/command/0"));
  EXPECT_FALSE(wants_text(schema, "/count"));
  EXPECT_FALSE(wants_text(schema, "/either"));
  EXPECT_FALSE(wants_text(schema, "/nowhere"));
}

TEST(Schema, SurvivesReferencesThatLeadNowhereOrInCircles) {
  const json circle = json::parse(R"({"properties": {"a": {"$ref": "#/properties/b"},
    "b": {"$ref": "#/properties/a"}, "c": {"$ref": "#/no/where"}}})");
  EXPECT_FALSE(is_write_only(circle, "/a"));
  EXPECT_FALSE(check_schema(circle, {{"a", 1}}, [](const json& value) { return value == 1; }));
}

}  // namespace
}  // namespace drydock
