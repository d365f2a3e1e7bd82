#include "schema_lookup.h"

#include <algorithm>

#include "schema.h"

namespace drydock {
namespace {

using nlohmann::json;

// The schema and all that it is made of, so that a mark in any of them counts.
void expand(const json& root, const json& raw, int depth, std::vector<const json*>& all) {
  const json& schema = follow_references(root, raw);
  if (!schema.is_object() || depth > 8) return;
  all.push_back(&schema);
  for (const char* name : {"oneOf", "anyOf", "allOf"}) {
    const json* branches = keyword(schema, name);
    if (branches == nullptr || !branches->is_array()) continue;
    for (const json& branch : *branches) expand(root, branch, depth + 1, all);
  }
}

bool is_marked(const std::vector<const json*>& schemas) {
  return std::any_of(schemas.begin(), schemas.end(), [](const json* schema) {
    const json* mark = keyword(*schema, "writeOnly");
    return mark != nullptr && *mark == true;
  });
}

// Calls `see` with the schemas of every value on the way to the pointer.
template <class See>
void walk_to(const json& root, const std::string& pointer, See see) {
  std::vector<const json*> schemas;
  expand(root, root, 0, schemas);
  see(schemas);
  json::json_pointer rest(pointer);
  std::vector<std::string> tokens;
  for (; !rest.empty(); rest.pop_back()) tokens.push_back(rest.back());
  for (auto token = tokens.rbegin(); token != tokens.rend(); ++token) {
    std::vector<const json*> children;
    for (const json* schema : schemas) {
      if (const json* member = member_schema(*schema, *token)) expand(root, *member, 0, children);
      const json* items = keyword(*schema, "items");
      const bool is_index = token->find_first_not_of("0123456789") == std::string::npos;
      if (items != nullptr && items->is_object() && is_index) expand(root, *items, 0, children);
    }
    schemas = std::move(children);
    see(schemas);
  }
}

}  // namespace

const json& follow_references(const json& root, const json& schema) {
  static const json everything = true;
  const json* result = &schema;
  for (int steps = 0; steps < 16; ++steps) {
    const json* reference = keyword(*result, "$ref");
    if (reference == nullptr || !reference->is_string()) return *result;
    const std::string& text = reference->get_ref<const std::string&>();
    if (text.rfind("#/", 0) != 0) return everything;
    const json* target = &root;
    for (std::size_t start = 2; target != nullptr && start <= text.size();) {
      const std::size_t end = std::min(text.find('/', start), text.size());
      target = keyword(*target, std::string_view(text).substr(start, end - start));
      start = end + 1;
    }
    if (target == nullptr) return everything;
    result = target;
  }
  return everything;
}

const json* keyword(const json& schema, std::string_view name) {
  if (!schema.is_object()) return nullptr;
  const auto found = schema.find(std::string(name));
  return found == schema.end() ? nullptr : &*found;
}

const json* member_schema(const json& schema, const std::string& key) {
  if (const json* properties = keyword(schema, "properties")) {
    if (const json* property = keyword(*properties, key)) return property;
  }
  const json* others = keyword(schema, "additionalProperties");
  return others != nullptr && others->is_object() ? others : nullptr;
}

std::vector<std::string> type_names(const json& schema) {
  std::vector<std::string> names;
  const json* type = keyword(schema, "type");
  if (type == nullptr) return names;
  if (type->is_string()) names.push_back(*type);
  if (type->is_array()) {
    for (const json& name : *type) {
      if (name.is_string()) names.push_back(name);
    }
  }
  return names;
}

std::string pointer_to(const std::string& pointer, const std::string& key) {
  std::string result = pointer + "/";
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

bool is_write_only(const json& schema, const std::string& pointer) {
  bool marked = false;
  walk_to(schema, pointer,
          [&](const std::vector<const json*>& schemas) { marked = marked || is_marked(schemas); });
  return marked;
}

bool wants_text(const json& schema, const std::string& pointer) {
  bool result = false;
  walk_to(schema, pointer, [&](const std::vector<const json*>& schemas) {
    result = false;
    for (const json* candidate : schemas) {
      for (const std::string& name : type_names(*candidate)) {
        if (name != "string") {
          result = false;
          return;
        }
        result = true;
      }
    }
  });
  return result;
}

}  // namespace drydock
