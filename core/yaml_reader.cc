#include "yaml_reader.h"

#include <algorithm>
#include <utility>

#include "error.h"
#include "expression.h"
#include "text.h"

namespace drydock {

void refuse(const Place& place, const std::string& found, const std::string& where,
            const std::string& allowed) {
  throw Error(
      full_stop(place.text() + ": found " + found + " in " + where + ", allowed: " + allowed));
}

std::string found_in(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::null:
      return "nothing";
    case YamlNode::Kind::sequence:
      return "a list";
    case YamlNode::Kind::mapping:
      return "a mapping";
    case YamlNode::Kind::scalar:
      break;
  }
  return node.text.empty() ? "an empty text" : "'" + make_visible(shorten(node.text, 60)) + "'";
}

MappingReader::MappingReader(const YamlNode& node, std::string what,
                             std::vector<std::string> allowed)
    : node_(node), what_(std::move(what)) {
  if (node.kind != YamlNode::Kind::mapping) {
    refuse(node.place, found_in(node), what_, "a mapping with " + join(allowed, ", "));
  }
  for (const auto& [key, value] : node.members) {
    if (std::find(allowed.begin(), allowed.end(), key.text) != allowed.end()) continue;
    refuse(key.place, "the unknown key " + found_in(key), what_,
           join(allowed, ", ") + did_you_mean(key.text, allowed));
  }
}

const YamlNode* MappingReader::find(std::string_view key) const {
  for (const auto& [name, value] : node_.members) {
    if (name.text == key) return &value;
  }
  return nullptr;
}

const YamlNode& MappingReader::require(std::string_view key, const std::string& allowed) const {
  if (const YamlNode* found = find(key)) return *found;
  refuse(node_.place, "no '" + std::string(key) + ":'", what_, allowed);
}

std::string read_text(const YamlNode& node, const std::string& where) {
  if (node.kind != YamlNode::Kind::scalar || node.text.empty()) {
    refuse(node.place, found_in(node), where, "a text");
  }
  if (has_expression(node.text)) {
    refuse(node.place, "an expression", where,
           "a text without ${{ }}; expressions are evaluated in 'with' and 'when' only");
  }
  return node.text;
}

std::vector<std::string> read_texts(const YamlNode& node, const std::string& where) {
  if (node.kind != YamlNode::Kind::sequence) {
    refuse(node.place, found_in(node), where, "a list of texts");
  }
  std::vector<std::string> texts;
  for (const YamlNode& item : node.items) texts.push_back(read_text(item, where));
  return texts;
}

bool read_boolean(const YamlNode& node, const std::string& where) {
  if (node.kind == YamlNode::Kind::scalar && node.plain) {
    if (node.text == "true") return true;
    if (node.text == "false") return false;
  }
  refuse(node.place, found_in(node), where, "true or false");
}

unsigned read_count(const YamlNode& node, const std::string& where, unsigned most) {
  const nlohmann::json value =
      node.kind == YamlNode::Kind::scalar && node.plain ? plain_value(node.text) : nlohmann::json();
  if (!value.is_number_integer() || value.get<std::int64_t>() < 0 ||
      value.get<std::int64_t>() > most) {
    refuse(node.place, found_in(node), where, "a whole number from 0 to " + std::to_string(most));
  }
  return value.get<unsigned>();
}

std::chrono::milliseconds read_duration(const YamlNode& node, const std::string& where) {
  const auto duration =
      node.kind == YamlNode::Kind::scalar ? parse_duration(node.text) : std::nullopt;
  if (!duration || duration->count() == 0) {
    refuse(node.place, found_in(node), where, "a duration such as 90s or 1h30m");
  }
  return *duration;
}

const std::string& read_name(const YamlNode& key, const std::string& where) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  const std::string& name = key.text;
  if (name.empty() || !std::all_of(name.begin(), name.end(), fits) || name[0] == '-' ||
      (name[0] >= '0' && name[0] <= '9')) {
    refuse(key.place, "the name " + found_in(key), where,
           "letters, digits, '_' and '-', a letter or '_' first");
  }
  return name;
}

}  // namespace drydock
