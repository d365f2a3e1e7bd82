#include "expression.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "frontend.h"

namespace drydock {
namespace {

const Place place{"p.yaml", 3, 7};

Scope sample() {
  Scope scope;
  scope.vars = {{"to", "1.2"}, {"n", 2}, {"yes", true}, {"none", nullptr}, {"list", {1, 2}}};
  scope.secret = [](const std::string& name) {
    return name == "hook" ? std::optional<std::string>("s3cret") : std::nullopt;
  };
  scope.env = std::make_shared<const Variables>(Variables{{"MODE", "fast"}, {"PORT", "80"}});
  scope.run = {{"id", 7}};
  scope.promoted = {{"build", {{"commit", "abc"}}}};
  scope.outputs["build"]["tag"] = {"t1", "", false};
  scope.outputs["build"]["image.api"] = {"sha", "", false};
  scope.outputs["build"]["key"] = {"k", "", true};
  return scope;
}

nlohmann::json value_of(const std::string& text) { return evaluate(text, sample(), place).value; }
std::string refusal(const std::string& text) {
  return error_of([&] { evaluate(text, sample(), place); });
}

TEST(Expression, KeepsItsTypeWhenItIsTheWholeText) {
  EXPECT_EQ(value_of("${{ vars.n }}"), 2);
  EXPECT_EQ(value_of("${{vars.list}}"), (nlohmann::json{1, 2}));
  EXPECT_EQ(value_of("v${{ vars.n }}-${{ vars.to }} ${{ vars.yes }}"), "v2-1.2 true");
  EXPECT_EQ(value_of("${VAR} $${X} {{ x }}"), "${VAR} $${X} {{ x }}");
  EXPECT_EQ(value_of("${{ '${{' }} and ${{ 'it''s }}' }}"), "${{ and it's }}");
}

TEST(Expression, KnowsAllItsNames) {
  EXPECT_EQ(value_of("${{ env.MODE }}"), "fast");
  EXPECT_EQ(value_of("${{ env.UNSET }}"), nullptr);
  EXPECT_EQ(value_of("${{ run.id }}"), 7);
  EXPECT_EQ(value_of("${{ stages.build.outputs.tag }}"), "t1");
  EXPECT_EQ(value_of("${{ stages.build.outputs.image.api }}"), "sha");
  EXPECT_EQ(value_of("${{ promoted.build.commit }}"), "abc");
  EXPECT_EQ(value_of("${{ promoted.build.other }}"), nullptr);
  EXPECT_EQ(value_of("${{ promoted.later.commit ?? 'none' }}"), "none");
  EXPECT_TRUE(evaluate("x${{ secrets.hook }}", sample(), place).secret);
  EXPECT_TRUE(evaluate("${{ stages.build.outputs.key }}", sample(), place).secret);
  EXPECT_FALSE(evaluate("${{ vars.to }}", sample(), place).secret);
}

TEST(Expression, ComparesAndCombines) {
  EXPECT_EQ(value_of("${{ vars.to == '1.2' && !(vars.n == 3) }}"), true);
  EXPECT_EQ(value_of("${{ env.PORT == 80 }}"), true);  // .env knows only texts
  EXPECT_EQ(value_of("${{ vars.yes != 'true' || false }}"), false);
  EXPECT_EQ(value_of("${{ vars.none == null }}"), true);
  EXPECT_EQ(value_of("${{ vars.none ?? vars.undefined ?? 'x' }}"), "x");
  EXPECT_EQ(value_of("${{ vars.none ?? 'a' == 'a' }}"), true);  // ?? binds before ==
  EXPECT_EQ(value_of("${{ false && vars.undefined }}"), false);
}

TEST(Expression, SaysWhenAValueIsKnown) {
  Scope scope = sample();
  scope.env.reset();
  EXPECT_EQ(evaluate("${{ stages.later.outputs.x ?? 'y' }}", scope, place).unknown, "after later");
  EXPECT_EQ(evaluate("a ${{ env.X }}", scope, place).unknown, "when the stage starts");
  EXPECT_EQ(evaluate("${{ run.status == 'failed' }}", scope, place).unknown, "when the run ends");
  EXPECT_EQ(evaluate_condition("false && env.X == 'y'", scope, place).value, false);
}

TEST(Expression, RefusesUndefinedNamesWithTheNearestOne) {
  EXPECT_EQ(
      refusal("${{ vars.too }}"),
      "p.yaml:3:7: 'vars.too' is not defined, allowed: vars.list, vars.n, vars.none, vars.to, "
      "vars.yes; did you mean 'vars.to'?");
}

TEST(Expression, RefusesWhatHasNoMeaning) {
  EXPECT_NE(refusal("a ${{ vars.none }}").find("found null inside of the text"), std::string::npos);
  EXPECT_NE(refusal("a ${{ vars.list }}").find("found a list inside"), std::string::npos);
  EXPECT_NE(refusal("${{ vars.to && true }}").find("allowed: true or false"), std::string::npos);
  for (const char* text : {"${{ }}", "${{ vars.to", "${{ vars. }}", "${{ to }}", "${{ 'x }}",
                           "${{ a.b + 1 }}", "${{ (true }}", "${{ vars.to = 1 }}", "${{ 007 }}",
                           "${{ foo.bar }}", "${{ vars.a.b }}", "${{ true true }}"}) {
    EXPECT_EQ(refusal(text).rfind("p.yaml:3:7: ", 0), 0u) << text << ": " << refusal(text);
  }
  EXPECT_NE(refusal("${{ " + std::string(100'000, '(') + " }}").find("at most 64"),
            std::string::npos);
  EXPECT_NE(refusal("${{ " + std::string(100'000, '!') + " }}").find("at most 64"),
            std::string::npos);
}

TEST(Expression, OfAHundredThousandLinksNeedsNoDepth) {
  std::string chain = "true";
  for (int i = 0; i < 100'000; ++i) chain += "&&true";
  EXPECT_EQ(evaluate_condition(chain, sample(), place).value, true);
}

TEST(Condition, StandsWithAndWithoutBraces) {
  EXPECT_EQ(evaluate_condition("vars.n == 2", sample(), place).value, true);
  EXPECT_EQ(evaluate_condition("${{ vars.n == 2 }}", sample(), place).value, true);
  EXPECT_EQ(evaluate_condition("true", sample(), place).value, true);
  const auto wrong = [](const std::string& text) {
    return error_of([&] { evaluate_condition(text, sample(), place); });
  };
  EXPECT_NE(
      wrong("vars.to").find("found a text in the condition 'vars.to', allowed: true or false"),
      std::string::npos);
  EXPECT_NE(wrong("x ${{ true }}").find("allowed: one expression"), std::string::npos);
}

TEST(NamesIn, AreAllThatAnExpressionRefersTo) {
  EXPECT_EQ(names_in("a ${{ vars.a ?? vars.b }} ${{ !(env.C == 'vars.d') }}", place),
            (std::vector<std::string>{"vars.a", "vars.b", "env.C"}));
  const auto uses = name_uses("${{ vars.a ?? vars.b }}", place);
  EXPECT_TRUE(uses[0].may_be_undefined);
  EXPECT_FALSE(uses[1].may_be_undefined);
}

RC_GTEST_PROP(Expression, IsEvaluatedOrRefusedWhateverItIs, ()) {
  const auto pieces = *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(
      std::vector<std::string>{"${{", "}}", " ",    "vars.to", "env.X", "stages.build.outputs.tag",
                               "==",  "!=", "&&",   "||",      "!",     "??",
                               "(",   ")",  "'",    "\"",      "a",     ".",
                               "1",   "-",  "true", "null",    "\xff",  "\n"}));
  std::string text;
  for (const std::string& piece : pieces) text += piece;
  for (const std::string& each : {text, "${{" + text + "}}"}) {
    const std::string sentence = error_of([&] { evaluate(each, sample(), place); });
    RC_ASSERT(sentence == "no error" || sentence.rfind("p.yaml:3:7: ", 0) == 0);
  }
  error_of([&] { evaluate_condition(text, sample(), place); });
}

}  // namespace
}  // namespace drydock
