// The JSON Schema of a stage type's options: a text until somebody looks into it, since of all the
// plugins' schemas a command needs few.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace drydock {

class OptionsSchema {
 public:
  OptionsSchema() = default;
  explicit OptionsSchema(std::string text) : text_(std::move(text)) {}

  const std::string& text() const { return text_; }
  bool is_object() const { return parsed().is_object(); }
  // {} for a text that is no JSON object, which whoever probed the plugin has refused. Not for
  // several threads at once.
  const nlohmann::json& json() const {
    static const nlohmann::json none = nlohmann::json::object();
    return is_object() ? parsed_ : none;
  }

 private:
  const nlohmann::json& parsed() const {
    if (parsed_.is_null()) parsed_ = nlohmann::json::parse(text_, nullptr, false);
    return parsed_;
  }

  std::string text_ = "{}";
  mutable nlohmann::json parsed_;  // null: not yet
};

}  // namespace drydock
