// Reading what a person declares out of a YAML tree: the expected kind of each value, or an error
// that says where, what was found and what is allowed.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "yaml_tree.h"

namespace drydock {

// Throws Error: "FILE:L:C: found FOUND in WHERE, allowed: ALLOWED."
[[noreturn]] void refuse(const Place& place, const std::string& found, const std::string& where,
                         const std::string& allowed);
// "'abc'", "a list", "a mapping", "nothing".
std::string found_in(const YamlNode& node);

// A mapping with known keys. `what` completes "found ... in": "a stage", "the pipeline".
class MappingReader {
 public:
  // Throws Error for a value that is no mapping and for a key that is not allowed.
  MappingReader(const YamlNode& node, std::string what, std::vector<std::string> allowed);

  const YamlNode* find(std::string_view key) const;  // nullptr: absent
  const YamlNode& require(std::string_view key, const std::string& allowed) const;
  const Place& place() const { return node_.place; }
  const std::string& what() const { return what_; }

 private:
  const YamlNode& node_;
  std::string what_;
};

// Each throws Error when the value is something else. `where` completes "found ... in". Texts of
// these are taken as they stand: one that holds ${{ }} is refused.
std::string read_text(const YamlNode& node, const std::string& where);
std::vector<std::string> read_texts(const YamlNode& node, const std::string& where);
bool read_boolean(const YamlNode& node, const std::string& where);
unsigned read_count(const YamlNode& node, const std::string& where, unsigned most);
std::chrono::milliseconds read_duration(const YamlNode& node, const std::string& where);
// Refuses all but [A-Za-z_][A-Za-z0-9_-]*, which is what expressions can refer to.
const std::string& read_name(const YamlNode& key, const std::string& where);

}  // namespace drydock
