// `.env` files: as Compose reads them, and back.
#include "env_file.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace drydock {
namespace {

std::string shared_data() {
  const char* given = std::getenv("DRYDOCK_SHARED_DATA");
  return given != nullptr ? given : DRYDOCK_SOURCE_DIR "/../shared/data";
}

std::string from_base64(const std::string& text) {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<unsigned>(alphabet.find(c));
    count += 6;
    if (count >= 8) bytes += static_cast<char>(bits >> (count -= 8) & 0xff);
  }
  return bytes;
}

EnvValues values_of(const std::string& text) { return evaluate(EnvFile::parse(text)); }

std::string value_of(const std::string& text, std::string_view key) {
  const EnvValues values = values_of(text);
  EXPECT_FALSE(values.error()) << values.error()->describe();
  const std::string_view* found = values.find(key);
  return found == nullptr ? "(unset)" : std::string(*found);
}

// What Compose 2.26.1 answered for 162 files, as bytes or as its error.
TEST(EnvFile, AnswersAsComposeDoes) {
  std::ifstream file(shared_data() + "/env-cases.json");
  if (!file) GTEST_SKIP() << "no env-cases.json in " << shared_data();
  const nlohmann::json cases = nlohmann::json::parse(file);
  ASSERT_GE(cases.size(), 162U);
  for (const nlohmann::json& expected : cases) {
    SCOPED_TRACE(expected["name"]);
    const EnvLookup environment = [&](std::string_view key) -> std::optional<std::string> {
      const auto outer = expected.find("os_env");
      if (outer == expected.end() || !outer->contains(std::string(key))) return std::nullopt;
      return (*outer)[std::string(key)].get<std::string>();
    };
    const EnvFile env = EnvFile::parse(from_base64(expected["input_base64"]));
    const EnvValues values = evaluate(env, environment);
    if (expected.contains("error")) {
      ASSERT_TRUE(values.error());
      std::string text = values.error()->describe();
      if (text != "setenv: invalid argument") text = "failed to read FILE: " + text;
      EXPECT_EQ(text, expected["error"]);
      continue;
    }
    ASSERT_FALSE(values.error()) << values.error()->describe();
    std::map<std::string, std::string> wanted = expected["expect"];
    const nlohmann::json bytes_of = expected.value("expect_bytes_base64", nlohmann::json::object());
    for (const auto& [key, bytes] : bytes_of.items()) {
      wanted[key] = from_base64(bytes);
    }
    std::map<std::string, std::string> found;
    for (const std::string_view key : values.keys()) {
      if (const std::string_view* value = values.find(key)) found[std::string(key)] = *value;
    }
    EXPECT_EQ(found, wanted);
    std::string warnings;
    for (const auto& name : values.unset()) {
      warnings += "The \"" + name + "\" variable is not set. Defaulting to a blank string.";
    }
    for (const std::string warning : expected.value("warnings", nlohmann::json::array())) {
      EXPECT_NE(warnings.find(warning), std::string::npos) << warning;
    }
  }
}

TEST(EnvFile, ReadsBackWhatItWrote) {
  EXPECT_TRUE(rc::check("parse(write(x)) == x for any bytes but NUL", [] {
    const auto nasty =
        rc::gen::oneOf(rc::gen::nonZero<char>(),
                       rc::gen::element<char>('\\', '"', '\'', '$', '{', '}', '#', ' ', '\n', '\r',
                                              '\xc2', '\xa0', '\xe3', '\x80'));
    const auto value = *rc::gen::container<std::string>(nasty);
    const auto after = *rc::gen::container<std::string>(nasty);
    const EnvValues values =
        values_of("FIRST=1\nA=" + write_env_value(value) + "\nB=" + write_env_value(after) + "\n");
    RC_ASSERT(!values.error());
    RC_ASSERT(*values.find("A") == value);
    RC_ASSERT(*values.find("B") == after);
    RC_ASSERT(values.keys().size() == 3U);
  }));
}

TEST(EnvFile, KeepsEachByteOfTheText) {
  EXPECT_TRUE(rc::check("lead + whole of each statement + tail == text", [] {
    const auto piece = rc::gen::element<std::string>(
        "A=1\n", "  export B = 'x y' # c\n", "# comment\n", "\n", "C=\"two\nlines\"\r\n", "D\n",
        "E='1'F='2'\n", "\xc2\xa0G: 3\n", "H=", " # ", "'");
    std::string text;
    for (const std::string& part : *rc::gen::container<std::vector<std::string>>(piece)) {
      text += part;
    }
    const EnvFile file = EnvFile::parse(text);
    RC_PRE(!file.error());
    std::string again;
    for (const EnvStatement& statement : file.statements()) {
      again += std::string(statement.lead()) + std::string(statement.whole());
    }
    RC_ASSERT(again + std::string(file.tail()) == text);
  }));
}

TEST(EnvFile, TellsWhereAStatementStands) {
  const EnvFile file = EnvFile::parse(
      "\xef\xbb\xbf# head\n\nexport KEY = \"a\nb\" # why\n  NEXT=x  # y\nLAST\n\n# end\n");
  ASSERT_EQ(file.statements().size(), 3U);
  const EnvStatement& first = file.statements()[0];
  EXPECT_EQ(first.lead(), "# head\n\n");
  EXPECT_EQ(first.whole(), "export KEY = \"a\nb\" # why\n");
  EXPECT_EQ(first.key(), "KEY");
  EXPECT_EQ(first.value(), "a\nb");
  EXPECT_EQ(first.quote, '"');
  EXPECT_EQ(file.line_of(first), 3U);
  EXPECT_EQ(file.statements()[1].lead(), "  ");
  EXPECT_EQ(file.statements()[1].value(), "x");
  EXPECT_EQ(file.line_of(file.statements()[1]), 5U);
  EXPECT_TRUE(file.statements()[2].inherited);
  EXPECT_EQ(file.tail(), "\n# end\n");
}

TEST(EnvFile, CountsLinesToWhereAnErrorIs) {
  const EnvValues values = values_of("A=1\nB=\"2\n3\"\nINHERITED \n# c\nBAD/KEY=1\nC=3\n");
  ASSERT_TRUE(values.error());
  EXPECT_EQ(values.error()->describe(),
            "line 5: unexpected character \"/\" in variable name \"BAD/KEY=1\"");
  // Compose 2.26 does not count a KEY alone with a space after it; a person does.
  EXPECT_TRUE(values.error()->explain().starts_with("line 6: ")) << values.error()->explain();
  EXPECT_NE(values.find("A"), nullptr);
  EXPECT_EQ(values.find("C"), nullptr);
}

TEST(EnvFile, ExplainsWithoutShowingValues) {
  for (const char* text : {"A=1\nPW=\"s3cret\n", "A=1\nPW=s3cret${\n", "A=1\nP/W=s3cret\n",
                           "A=1\nPW=${A:?}${N:?s3cret}\n", "A=1\n=s3cret\n"}) {
    const EnvValues values = values_of(text);
    ASSERT_TRUE(values.error()) << text;
    EXPECT_TRUE(values.error()->explain().starts_with("line 2: ")) << values.error()->explain();
    EXPECT_EQ(values.error()->explain().find("s3cret"), std::string::npos);
  }
}

TEST(EnvFile, FindsAmongManyKeysAndDuplicates) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "KEY" + std::to_string(i) + "=" + std::to_string(i) + "\n";
  text += "KEY7=again\n";
  const EnvFile file = EnvFile::parse(text);
  const EnvValues values = evaluate(file);
  EXPECT_EQ(values.keys().size(), 5000U);
  EXPECT_EQ(*values.find("KEY4999"), "4999");
  EXPECT_EQ(*values.find("KEY7"), "again");
  EXPECT_EQ(values.statement("KEY7"), 5000U);
  EXPECT_EQ(values.statement("NOPE"), EnvValues::npos);
}

TEST(EnvFile, InterpolatesBracesInDefaults) {
  EXPECT_EQ(value_of("A=${X:-{\"a\":{}}}z\n", "A"), "{\"a\":{}}z");
  EXPECT_EQ(value_of("X=1\nA=${X:-a}b}c\n", "A"), "1b}c");
  EXPECT_EQ(value_of("A='octal'\nB=\"\\0377\\0400\\012\"\n", "B"), "\xc3\xbf\\400\\12");
}

// As Docker Compose 2.26.1 answered.
TEST(EnvFile, QuotesWhatComposeDoesOfAMalformedValue) {
  const auto said = [](const std::string& value) {
    const EnvValues values = values_of("F=" + value + "\n");
    return values.error() ? values.error()->describe() : "nothing";
  };
  EXPECT_EQ(said("${C-}${E${C-}"), "Invalid template: \"${E${C-}\"");
  EXPECT_EQ(said("x${C-}y${E${C-}z"), "Invalid template: \"y${E${C-}\"");
  EXPECT_EQ(said("a${C}${E${C}"), "Invalid template: \"a${C}${E${C}\"");
  EXPECT_EQ(said("${E${C-}}"), "Invalid template: \"${E${C-}}\"");
  EXPECT_EQ(said("${C-}${E"), "Invalid template: \"${C-}${E\"");
  EXPECT_EQ(said("${C-}${E}${"), "Invalid template: \"${C-}${E}${\"");
  EXPECT_EQ(said("${C:-a${E${C-}}"), "Invalid template: \"a${E${C-}\"");
}

TEST(EnvFile, RefusesWhatWouldExhaustTheStack) {
  std::string deep = "A=";
  for (int i = 0; i < 100000; ++i) deep += "${X:-";
  const EnvValues values = values_of(deep + std::string(100000, '}') + "\n");
  ASSERT_TRUE(values.error());
  EXPECT_NE(values.error()->text.find("inside one another"), std::string::npos);
}

TEST(EnvFile, RefusesWhatWouldExhaustTheMemory) {
  std::string doubled = "A0=x\n", all_at_once = "A=" + std::string(1 << 20, 'x') + "\nB=";
  for (int i = 1; i < 60; ++i) {
    const std::string before = "$A" + std::to_string(i - 1);
    doubled += "A" + std::to_string(i) + "=" + before + before + "\n";
  }
  for (int i = 0; i < 100000; ++i) all_at_once += "$A";
  const EnvValues values = values_of(doubled);
  ASSERT_TRUE(values.error());
  EXPECT_EQ(values.error()->explain(),
            "line 27: up to the value of A26, values that refer to others make more than 64 MiB");
  EXPECT_TRUE(values_of(all_at_once + "\n").error());
}

// Compose's environment wins where a value refers to it; what the file sets is seen all the same.
TEST(EnvFile, RefersToAnEnvironmentThatChangesNoVariable) {
  const EnvLookup environment = [](std::string_view name) {
    return name == "HOME" ? std::optional<std::string>("/home/me") : std::nullopt;
  };
  const EnvFile file = EnvFile::parse("A=${HOME:?}/a\nHOME=/mine\nB=$HOME\nC=$OTHER\n");
  const EnvValues values = evaluate(file, {}, environment);
  ASSERT_FALSE(values.error());
  EXPECT_EQ(*values.find("A"), "/home/me/a");
  EXPECT_EQ(*values.find("HOME"), "/mine");
  EXPECT_EQ(*values.find("B"), "/home/me");
  EXPECT_EQ(*values.find("C"), "");
}

TEST(EnvFile, NamesWhatAValueRefersTo) {
  const EnvFile file = EnvFile::parse("A=$X-${Y:-${Z}}$$W\nB='$Q'\n");
  const auto names = interpolated_names(file.statements()[0]);
  EXPECT_EQ(std::vector<std::string>(names.begin(), names.end()),
            (std::vector<std::string>{"X", "Y", "Z"}));
  EXPECT_TRUE(interpolated_names(file.statements()[1]).empty());
}

}  // namespace
}  // namespace drydock
