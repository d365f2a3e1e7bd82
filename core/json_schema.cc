#include "json_schema.h"

#include <exception>
#include <map>
#include <mutex>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

namespace drydock {
namespace {

// valijson takes a value with any format for a text, and knows none of ours.
nlohmann::json without_formats(const nlohmann::json& schema) {
  nlohmann::json result = schema;
  if (result.is_object()) {
    const auto format = result.find("format");
    if (format != result.end() && format->is_string()) result.erase(format);
  }
  if (result.is_structured()) {
    for (nlohmann::json& part : result) part = without_formats(part);
  }
  return result;
}

// Taking a schema apart takes longer than all stages of its type take to be checked against it: a
// third of the time of `drydock validate`. What is kept depends on nothing but the schema.
const valijson::Schema& parsed(const nlohmann::json& schema) {
  static std::mutex mutex;
  static std::map<nlohmann::json, valijson::Schema> known;
  const std::lock_guard lock(mutex);
  if (const auto found = known.find(schema); found != known.end()) return found->second;
  const nlohmann::json plain = without_formats(schema);
  const auto added = known.try_emplace(schema).first;
  try {
    valijson::SchemaParser().populateSchema(valijson::adapters::NlohmannJsonAdapter(plain),
                                            added->second);
  } catch (...) {
    known.erase(added);
    throw;
  }
  return added->second;
}

}  // namespace

std::optional<std::string> json_schema_rejects(const nlohmann::json& schema,
                                               const nlohmann::json& value) {
  try {
    valijson::Validator validator;
    valijson::ValidationResults results;
    const valijson::adapters::NlohmannJsonAdapter target(value);
    if (validator.validate(parsed(schema), target, &results)) return std::nullopt;
    valijson::ValidationResults::Error error;
    return results.popError(error) ? error.description : "it does not fit the schema";
  } catch (const std::exception& error) {
    return "the schema of the stage type cannot be used (" + std::string(error.what()) +
           "), tell the author of the plugin";
  }
}

}  // namespace drydock
