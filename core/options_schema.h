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
  // Why nobody may use it, as the end of a sentence: "is no JSON object: at line 1, ...". "": one
  // may. Not for several threads at once, nor is json().
  const std::string& problem() const {
    parse();
    return problem_;
  }
  // {} where there is a problem, which whoever probed the plugin has refused. No value makes a walk
  // along it endless.
  const nlohmann::json& json() const {
    parse();
    return parsed_;
  }

 private:
  void parse() const;

  std::string text_ = "{}";
  mutable nlohmann::json parsed_;  // null: not yet
  mutable std::string problem_;
};

}  // namespace drydock
