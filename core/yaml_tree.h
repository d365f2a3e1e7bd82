// YAML as one tree of values with their places. The only door to yaml-cpp, and the strict one:
// UTF-8 without NUL, one document, no duplicate keys, no `<<`, bounded size, depth and alias
// expansion.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "place.h"

namespace drydock {

constexpr std::size_t largest_yaml_file = 1 << 20;  // bytes

struct YamlMember;

struct YamlNode {
  enum class Kind { null, scalar, sequence, mapping };
  Kind kind = Kind::null;
  std::string text;    // of a scalar
  bool plain = false;  // a scalar without quotes: may be a number or a boolean
  std::vector<YamlNode> items;
  std::vector<YamlMember> members;
  Place place;
};

struct YamlMember {
  YamlNode key;  // a scalar
  YamlNode value;
};

// Throws Error: "FILE:LINE:COLUMN: ...".
YamlNode parse_yaml(const std::string& text, const std::string& file);
YamlNode read_yaml(const std::string& file);
// The bytes of a file that is small enough to be parsed. Throws Error.
std::string read_yaml_text(const std::string& file);

// Plain scalars become null, booleans (true, false only), integers, numbers; the rest are strings,
// and so is a number that would not be written the same again (1.10, 007).
nlohmann::json plain_value(const std::string& text);
// `places` gets every value's place under `pointer` + its own pointer, and the place of a member's
// key under key_pointer() of the member.
nlohmann::json to_json(const YamlNode& node, Places& places, const std::string& pointer = "");
inline std::string key_pointer(const std::string& member) { return member + "#"; }

}  // namespace drydock
