#include "option_words.h"

#include "error.h"
#include "text.h"
#include "yaml_tree.h"

namespace drydock {

std::string option_name(const std::string& pointer) {
  std::string result;
  nlohmann::json::json_pointer rest(pointer);
  for (; !rest.empty(); rest.pop_back()) {
    const std::string& token = rest.back();
    const bool index = token.find_first_not_of("0123456789") == std::string::npos;
    std::string part = index ? "[" + token + "]" : token;
    if (!result.empty() && result[0] != '[') part += ".";
    result = part + result;
  }
  return make_visible(shorten(result, 80));
}

Place option_place(const StageSpec& stage, const std::string& pointer, bool of_key) {
  if (of_key) {
    const auto key = stage.places.find(key_pointer(pointer));
    if (key != stage.places.end()) return key->second;
  }
  for (std::string at = pointer;; at.resize(at.rfind('/'))) {
    const auto found = stage.places.find(at);
    if (found != stage.places.end()) return found->second;
    if (at.empty()) return stage.place;
  }
}

std::string option_prefix(const StageSpec& stage, const std::string& pointer, bool of_key) {
  const std::string of_stage = "stage '" + stage.id + "'";
  return option_place(stage, pointer, of_key).text() + ": " +
         (pointer.empty() ? "options of " + of_stage
                          : "option '" + option_name(pointer) + "' of " + of_stage) +
         ": ";
}

void refuse_option(const StageSpec& stage, const SchemaProblem& problem) {
  throw Error(full_stop(option_prefix(stage, problem.pointer, problem.key) + problem.sentence));
}

}  // namespace drydock
