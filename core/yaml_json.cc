// From the YAML tree to JSON values: which plain texts are numbers, and where each value stands.
#include <charconv>

#include "files.h"
#include "yaml_tree.h"

namespace drydock {
namespace {

std::string escaped(const std::string& key) {  // RFC 6901
  std::string result;
  for (char c : key) {
    if (c == '~') {
      result += "~0";
    } else if (c == '/') {
      result += "~1";
    } else {
      result += c;
    }
  }
  return result;
}

}  // namespace

nlohmann::json plain_value(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") {
    return nullptr;
  }
  if (text == "true") return true;
  if (text == "false") return false;
  // Only what would be written the same again: 1.10, 007 and 1e3 are release tags and file modes
  // more often than numbers, and must not come out as 1.1, 7 and 1000.0.
  const char first = text[0] == '-' && text.size() > 1 ? text[1] : text[0];
  if (first < '0' || first > '9') return text;
  const char* const end = text.data() + text.size();
  std::int64_t integer = 0;
  if (std::from_chars(text.data(), end, integer).ptr == end && std::to_string(integer) == text) {
    return integer;
  }
  double number = 0;
  const auto [after, error] = std::from_chars(text.data(), end, number);
  if (after == end && error == std::errc()) {
    nlohmann::json value = number;
    if (value.dump() == text) return value;
  }
  return text;
}

nlohmann::json to_json(const YamlNode& node, Places& places, const std::string& pointer) {
  places[pointer] = node.place;
  switch (node.kind) {
    case YamlNode::Kind::null:
      return nullptr;
    case YamlNode::Kind::scalar:
      return node.plain ? plain_value(node.text) : nlohmann::json(node.text);
    case YamlNode::Kind::sequence: {
      nlohmann::json list = nlohmann::json::array();
      for (const YamlNode& item : node.items) {
        list.push_back(to_json(item, places, pointer + "/" + std::to_string(list.size())));
      }
      return list;
    }
    case YamlNode::Kind::mapping:
      break;
  }
  nlohmann::json object = nlohmann::json::object();
  for (const auto& [key, value] : node.members) {
    const std::string member = pointer + "/" + escaped(key.text);
    places[key_pointer(member)] = key.place;
    object[key.text] = to_json(value, places, member);
  }
  return object;
}

std::string read_yaml_text(const std::string& file) { return read_file(file, largest_yaml_file); }

YamlNode read_yaml(const std::string& file) { return parse_yaml(read_yaml_text(file), file); }

}  // namespace drydock
