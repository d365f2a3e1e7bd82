#include "options_schema.h"

#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace drydock {
namespace {

using nlohmann::json;
using Schemas = std::set<const json*>;

constexpr std::size_t deepest = 64;  // of lists and objects within one another, and of references

bool is_deep(const json& value, std::size_t depth = 0) {
  if (!value.is_structured()) return false;
  if (depth == deepest) return true;
  for (const json& part : value) {
    if (is_deep(part, depth + 1)) return true;
  }
  return false;
}

const json* member(const json& object, std::string_view name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(std::string(name));
  return found == object.end() ? nullptr : &*found;
}

// "#/definitions/x": what it names, or nullptr.
const json* target_of(const json& root, const json& reference) {
  if (!reference.is_string()) return nullptr;
  try {
    const auto& text = reference.get_ref<const std::string&>();
    if (text.empty() || text[0] != '#') return nullptr;
    const json::json_pointer pointer(text.substr(1));
    return root.contains(pointer) ? &root.at(pointer) : nullptr;
  } catch (const json::exception&) {
    return nullptr;
  }
}

// Whether one and the same value is looked at again and again: a reference that leads back without
// a member or an entry in between, or to a member that a default makes each time.
class ReferenceWalk {
 public:
  explicit ReferenceWalk(const json& root) : root_(root) {}

  bool is_endless() {
    std::vector<const json*> parts = {&root_};
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (is_endless(*parts[i])) return true;
      for (const json& part : *parts[i]) {
        if (part.is_structured()) parts.push_back(&part);
      }
    }
    return false;
  }

 private:
  // Of one value.
  bool is_endless(const json& schema) {
    if (ended_.count(&schema) != 0) return false;
    if (open_.size() == deepest || !open_.insert(&schema).second) return true;
    if (leads_on(schema)) return true;
    open_.erase(&schema);
    ended_.insert(&schema);
    return false;
  }

  bool leads_on(const json& schema) {
    if (const json* reference = member(schema, "$ref")) {
      const json* target = target_of(root_, *reference);
      if (target != nullptr && is_endless(*target)) return true;
    }
    for (const char* name : {"allOf", "anyOf", "oneOf", "not", "if", "then", "else"}) {
      const json* same_value = member(schema, name);
      if (same_value == nullptr) continue;
      if (same_value->is_object() && is_endless(*same_value)) return true;
      if (!same_value->is_array()) continue;
      for (const json& branch : *same_value) {
        if (is_endless(branch)) return true;
      }
    }
    const json* properties = member(schema, "properties");
    if (properties == nullptr || !properties->is_object()) return false;
    for (const json& property : *properties) {
      if (is_made_by_default(property) && is_endless(property)) return true;
    }
    return false;
  }

  bool is_made_by_default(const json& property) const {
    const json* at = &property;
    for (Schemas seen; at != nullptr && seen.insert(at).second;) {
      if (member(*at, "default") != nullptr) return true;
      const json* reference = member(*at, "$ref");
      at = reference == nullptr ? nullptr : target_of(root_, *reference);
    }
    return false;
  }

  const json& root_;
  Schemas open_, ended_;
};

// In the library's own words, from where they name the place.
std::string why_no_json(const std::string& text) {
  try {
    (void)json::parse(text);
  } catch (const json::parse_error& e) {
    const std::string said = e.what();
    const std::size_t place = said.find("at line ");
    if (place != std::string::npos) return ": " + said.substr(place, 200);
  }
  return "";
}

}  // namespace

void OptionsSchema::parse() const {
  if (!parsed_.is_null()) return;
  nlohmann::json schema = nlohmann::json::parse(text_, nullptr, false);
  if (!schema.is_object()) {
    problem_ = "is no JSON object" + why_no_json(text_);
  } else if (is_deep(schema)) {
    problem_ = "has more than " + std::to_string(deepest) + " objects and lists within one another";
  } else if (ReferenceWalk(schema).is_endless()) {
    problem_ = "refers to itself without end";
  }
  parsed_ = problem_.empty() ? std::move(schema) : nlohmann::json::object();
}

}  // namespace drydock
