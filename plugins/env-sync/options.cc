#include "options.h"

#include <sys/random.h>

#include <nlohmann/json.hpp>

#include "variable_names.h"

namespace drydock::env_sync {
namespace {

using nlohmann::json;

// A secret that the applications of most templates want, and want to be one's own.
constexpr const char* usual_secret = "SECRET_KEY";
constexpr const char* usual_form = "base64:42";

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  for (std::size_t at = 0; at < count;) {
    const ssize_t got = ::getrandom(bytes.data() + at, count - at, 0);
    if (got > 0) at += static_cast<std::size_t>(got);
  }
  return bytes;
}

std::string base64(const std::string& bytes) {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      text += i + k <= bytes.size() ? alphabet[group >> (18 - 6 * k) & 63] : '=';
    }
  }
  return text;
}

std::string hexadecimal(const std::string& bytes) {
  std::string text;
  for (const char byte : bytes) {
    text += "0123456789abcdef"[static_cast<unsigned char>(byte) >> 4];
    text += "0123456789abcdef"[static_cast<unsigned char>(byte) & 15];
  }
  return text;
}

// "base64:42", "hex:32": of so many random bytes. The schema has checked the form.
std::string secret(const std::string& form) {
  const std::size_t colon = form.find(':');
  const std::string bytes = random_bytes(std::stoul(form.substr(colon + 1)));
  return form.substr(0, colon) == "hex" ? hexadecimal(bytes) : base64(bytes);
}

json texts(const char* description) {
  return {{"type", "array"},
          {"items", {{"type", "string"}, {"minLength", 1}}},
          {"description", description}};
}

json choice(std::initializer_list<const char*> names, const char* description) {
  return {{"type", "string"},
          {"enum", std::vector<std::string>(names.begin(), names.end())},
          {"default", *names.begin()},
          {"description", description}};
}

json made_schema() {
  json properties;
  properties["env"] = {{"type", "string"},
                       {"default", ".env"},
                       {"minLength", 1},
                       {"description", "the operator's file"}};
  properties["template"] = {{"type", {"string", "array"}},
                            {"items", {{"type", "string"}, {"minLength", 1}}},
                            {"minLength", 1},
                            {"minItems", 1},
                            {"default", ".env.example"},
                            {"description",
                             "the new release's template; several files or globs "
                             "(`envs/**/*.env.example`) are read as one"}};
  properties["also"] =
      texts("templates (files, globs) that are read only to say where variables have moved");
  properties["also"]["default"] = {"*.env.example", "envs/**/*.env.example"};
  properties["base"] = {
      {"type", "string"},
      {"default", "auto"},
      {"minLength", 1},
      {"description",
       "the template that the `.env` was made from: auto (the last snapshot's, else that of the "
       "git "
       "tag which is the tag of the running image), none, a file, or `git:REF:path`"}};
  properties["defaults"] = choice(
      {"auto", "keep", "adopt"},
      "what was never touched: auto follows new defaults but for sticky variables, keep changes "
      "none, adopt all");
  properties["sticky"] = texts(
      "globs (`*`, `?`) of variables that never follow a new default by themselves; credentials "
      "never do");
  properties["sticky"]["default"] = default_sticky();
  properties["linked"] = {
      {"type", "array"},
      {"items", {{"type", "array"}, {"items", {{"type", "string"}, {"minLength", 1}}}}},
      {"default", default_linked()},
      {"description", "groups of variables that follow new defaults together or not at all"}};
  properties["renames"] = {
      {"type", "object"},
      {"additionalProperties", {{"type", "string"}, {"minLength", 1}}},
      {"default", json::object()},
      {"description",
       "variables with a new name, `OLD: NEW`; the value goes along, as it is written"}};
  properties["removed"] =
      choice({"keep", "comment", "drop-untouched"},
             "what was never touched and is no longer in the template, unless it is sticky or a "
             "credential: keep it, make it a comment, or drop it");
  properties["generate"] = {
      {"type", "object"},
      {"additionalProperties",
       {{"type", "string"}, {"pattern", "^(base64|hex):([1-9][0-9]{0,3})$"}}},
      {"examples", {{{usual_secret, usual_form}}}},
      {"description",
       "secrets to make where they are empty: `base64:BYTES` or `hex:BYTES`; without this option "
       "`SECRET_KEY: base64:42`, and only in a new `.env`"}};
  properties["require"] = texts("variables that must have a value in the result");
  properties["require"]["default"] = json::array();
  properties["history_dir"] = {
      {"type", "string"},
      {"default", "env-backup"},
      {"description", "where a copy of each replaced file is kept; empty: nowhere"}};
  properties["proof"] = choice(
      {"compose", "own"},
      "before anything is written, let Docker Compose (where it is installed and the deployment "
      "has compose files) evaluate the old file and the new one; own: evaluate only here");
  properties["explain"] = {{"type", "string"},
                           {"minLength", 1},
                           {"description", "plan: tell all about this one variable instead"}};
  return {{"type", "object"}, {"additionalProperties", false}, {"properties", properties}};
}

}  // namespace

const std::string& options_schema() {
  static const std::string text = made_schema().dump();
  return text;
}

MergeOptions read_options(const Call& call, bool creating) {
  MergeOptions options;
  const std::string defaults = call.text("/defaults"), removed = call.text("/removed");
  if (defaults == "keep") options.defaults = Defaults::keep;
  if (defaults == "adopt") options.defaults = Defaults::adopt;
  if (removed == "comment") options.removed = Removed::comment;
  if (removed == "drop-untouched") options.removed = Removed::drop_untouched;
  options.sticky = call.texts("/sticky");
  for (std::size_t i = 0; i < call.size("/linked"); ++i) {
    options.linked.push_back(call.texts("/linked/" + std::to_string(i)));
  }
  for (const std::string& old : call.keys("/renames")) {
    const std::string name = call.text(Call::member("/renames", old));
    if (!options.renames.emplace(old, name).second || old == name) {
      throw BadOptions("renames: " + old + " is to be called " + name + "; name two variables");
    }
  }
  for (const std::string& key : call.keys("/generate")) {
    options.generated.emplace(key, secret(call.text(Call::member("/generate", key))));
  }
  if (!call.has("/generate") && creating) {
    options.generated.emplace(usual_secret, secret(usual_form));
  }
  return options;
}

}  // namespace drydock::env_sync
