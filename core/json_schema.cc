#include "json_schema.h"

#include <exception>
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

}  // namespace

std::optional<std::string> json_schema_rejects(const nlohmann::json& schema,
                                               const nlohmann::json& value) {
  try {
    const nlohmann::json known = without_formats(schema);
    valijson::Schema parsed;
    valijson::SchemaParser parser;
    parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(known), parsed);
    valijson::Validator validator;
    valijson::ValidationResults results;
    const valijson::adapters::NlohmannJsonAdapter target(value);
    if (validator.validate(parsed, target, &results)) return std::nullopt;
    valijson::ValidationResults::Error error;
    return results.popError(error) ? error.description : "it does not fit the schema";
  } catch (const std::exception& error) {
    return "the schema of the stage type cannot be used (" + std::string(error.what()) +
           "), tell the author of the plugin";
  }
}

}  // namespace drydock
