#include "json_text.h"

namespace drydock {
namespace {

constexpr auto lenient = nlohmann::json::error_handler_t::replace;

}  // namespace

std::string compact(const nlohmann::json& value) { return value.dump(-1, ' ', false, lenient); }

std::string indented(const nlohmann::json& value) {
  return value.dump(2, ' ', false, lenient) + "\n";
}

}  // namespace drydock
