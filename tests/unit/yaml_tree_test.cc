#include "yaml_tree.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "frontend.h"

namespace drydock {
namespace {

nlohmann::json json_of(const std::string& text) {
  Places places;
  return to_json(parse_yaml(text, "f.yaml"), places);
}

std::string refusal(const std::string& text) {
  return error_of([&] { parse_yaml(text, "f.yaml"); });
}

std::string repeated(const std::string& part, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += part;
  return result;
}

TEST(YamlTree, KeepsWhatIsNoNumberAsItWasWritten) {
  EXPECT_EQ(json_of("[1, -3, 2.5, true, false, null, ~]").dump(),
            "[1,-3,2.5,true,false,null,null]");
  EXPECT_EQ(json_of("[1.10, 007, 1e3, 0x10, yes, True, '1', \"true\", 1_000, .5, -, 1.2.3]").dump(),
            R"(["1.10","007","1e3","0x10","yes","True","1","true","1_000",".5","-","1.2.3"])");
  EXPECT_EQ(json_of("9223372036854775807").dump(), "9223372036854775807");
  EXPECT_EQ(json_of("9223372036854775808"), "9223372036854775808");
}

TEST(YamlTree, KnowsWhereEachValueAndKeyStands) {
  Places places;
  to_json(parse_yaml("a:\n  - x\n  - {b/c: 1}\nd:\ne: 2\n", "f.yaml"), places);
  EXPECT_EQ(places["/a/1/b~1c"].text(), "f.yaml:3:11");
  EXPECT_EQ(places[key_pointer("/a/1/b~1c")].text(), "f.yaml:3:6");
  EXPECT_EQ(places["/d"].text(), "f.yaml:4:1");  // nothing stands where its key does
  EXPECT_EQ(places["/e"].text(), "f.yaml:5:4");
}

TEST(YamlTree, CountsColumnsInCharacters) {
  Places places;
  to_json(parse_yaml("\xEF\xBB\xBF{größe: x, b: y}", "f.yaml"), places);
  EXPECT_EQ(places["/größe"].text(), "f.yaml:1:9");
  EXPECT_EQ(places["/b"].text(), "f.yaml:1:15");
}

TEST(YamlTree, GivesAnAliasItsOwnPlace) {
  Places places;
  const auto json = to_json(parse_yaml("a: &x [1, 2]\nb: *x\n", "f.yaml"), places);
  EXPECT_EQ(json.dump(), R"({"a":[1,2],"b":[1,2]})");
  EXPECT_EQ(places["/b"].text(), "f.yaml:2:4");
}

TEST(YamlTree, RefusesKeysThatArePitfalls) {
  EXPECT_EQ(refusal("a: 1\nb: 2\na: 3\n"),
            "f.yaml:3:1: found the key 'a' a second time, allowed: once; the first is at "
            "f.yaml:1:1.");
  EXPECT_EQ(refusal("x: &x {a: 1}\ny:\n  <<: *x\n"),
            "f.yaml:3:3: found the merge key '<<', allowed: keys written out.");
  EXPECT_EQ(refusal("[a]: 1"),
            "f.yaml:1:1: found a key that is no text, allowed: a text before ':'.");
}

TEST(YamlTree, RefusesTagsAndFurtherDocuments) {
  EXPECT_EQ(refusal("a: !!python/object x"),
            "f.yaml:1:4: found the tag 'tag:yaml.org,2002:python/object', allowed: values without "
            "tags.");
  EXPECT_NE(refusal("a: 1\n---\nb: 2\n").find("f.yaml:2:1: found a second document"),
            std::string::npos);
  EXPECT_NE(refusal("- a\nb: 2\n").find("f.yaml:2:1: "), std::string::npos);
}

TEST(YamlTree, RefusesWhatIsNoText) {
  EXPECT_EQ(refusal(""), "f.yaml: found nothing, allowed: a YAML document.");
  EXPECT_EQ(refusal("# only\n"), "f.yaml: found nothing, allowed: a YAML document.");
  EXPECT_EQ(refusal(std::string("a: 1\n\0b", 7)),
            "f.yaml:2: found the control character \\x00, allowed: a text file in UTF-8.");
  EXPECT_EQ(refusal("a: 1\nb: \xff\n"),
            "f.yaml:2: found bytes that are not UTF-8, allowed: a text file in UTF-8.");
  EXPECT_EQ(refusal(std::string((1 << 20) + 1, 'a')),
            "f.yaml: found more than 1 MiB, allowed: 1 MiB.");
}

TEST(YamlTree, RefusesDeepNestingOfEveryKind) {
  const std::string sentence = "lists and mappings within one another, allowed: 64.";
  for (const std::string& text :
       {std::string(100'000, '['), repeated("- ", 100'000), repeated("{a: ", 100'000),
        repeated("? ", 100'000), repeated("[a: ", 100'000), repeated("- - ? ", 30'000)}) {
    EXPECT_NE(refusal(text).find(sentence), std::string::npos) << refusal(text);
  }
  EXPECT_EQ(refusal(std::string(64, '[') + std::string(64, ']')), "no error");
  EXPECT_NE(refusal(std::string(65, '[') + std::string(65, ']')).find(sentence), std::string::npos);
}

TEST(YamlTree, BoundsAliases) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last + ", " + last +
            repeated(", " + last, 8) + "]\n";
  }
  EXPECT_NE(refusal(bomb).find("found more than 100000 values"), std::string::npos);
  EXPECT_NE(refusal("a: &a " + std::string(500'000, 'x') + "\nb: [" + repeated("*a, ", 1000) + "]")
                .find("of text, aliases written out"),
            std::string::npos);
  std::string chain = "a0: &a0 [x]\n";
  for (int i = 1; i < 100; ++i) {
    chain += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) +
             "]\n";
  }
  EXPECT_NE(refusal(chain).find("found more than 64"), std::string::npos);
  EXPECT_NE(refusal("a: &a [*a]").find("found an alias inside of what it stands for"),
            std::string::npos);
  EXPECT_NE(refusal("a: *b").find("an anchor that is not defined"), std::string::npos);
}

TEST(YamlTree, SaysWhatIsWrongInWordsAndWhatHelps) {
  for (const char* text : {"stages:\n\t- uses: exec\n", "a:\n  \tb: 1\n\tc: 2\n"}) {
    EXPECT_NE(refusal(text).find("found a tab in the indentation, allowed: spaces"),
              std::string::npos)
        << refusal(text);
  }
  EXPECT_EQ(
      refusal("with: {a: ${{ vars.x }} }\n"),
      "f.yaml:1:12: this is not YAML: found no ']' or '}' that ends what begins here; a value "
      "with ${{ }} needs quotes inside [ ] and { }, and where it holds ': '.");
  EXPECT_NE(refusal("a: b: c").find("put quotes around a text that holds ': '"), std::string::npos);
  EXPECT_NE(refusal("a: @x").find("put quotes around"), std::string::npos);
  EXPECT_NE(refusal("a: 'x").find("found no quote that ends the text"), std::string::npos);
  EXPECT_NE(refusal("a:\n\tb: 1\n").find("f.yaml:2:"), std::string::npos);
}

TEST(YamlTree, NamesFilesThatCannotBeRead) {
  std::string folder = (std::filesystem::temp_directory_path() / "drydock-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const auto sentence = [](const std::string& file) { return error_of([&] { read_yaml(file); }); };
  EXPECT_NE(sentence(folder).find(folder + " is a folder"), std::string::npos);
  EXPECT_NE(sentence(folder + "/none").find(folder + "/none cannot be read"), std::string::npos);
  std::ofstream(folder + "/big") << std::string((1 << 20) + 1, 'a');
  EXPECT_NE(sentence(folder + "/big").find("larger than 1048576 bytes"), std::string::npos);
  std::filesystem::remove_all(folder);
}

RC_GTEST_PROP(YamlTree, ReadsOrRefusesAnyText, ()) {
  const auto text = *rc::gen::container<std::string>(
      rc::gen::elementOf(std::string("ab:- \n\t[]{},&*!|>'\"%@`#?~<0.\\\r")));
  try {
    Places places;
    to_json(parse_yaml(text, "f.yaml"), places);
  } catch (const Error& error) {
    RC_ASSERT(std::string(error.what()).rfind("f.yaml", 0) == 0);
  }
}

}  // namespace
}  // namespace drydock
