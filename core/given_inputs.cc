#include "given_inputs.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "error.h"
#include "json_text.h"

namespace drydock {
namespace {

using nlohmann::json;

constexpr std::size_t largest_document = 16u << 20;
constexpr auto allowed =
    R"(allowed: {"vars": {NAME: VALUE}, "secrets": {NAME: TEXT}, "promoted": {STAGE: {NAME: TEXT}}, "pipeline": {...}})";

std::string read_to_the_end(int fd) {
  std::string text;
  std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      throw Error("--stdin: standard input cannot be read (" + std::string(std::strerror(errno)) +
                  "); give it a document");
    }
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > largest_document) {
      throw Error(
          "--stdin: found more than 16 MiB, allowed: one document of variables and secrets");
    }
  }
}

}  // namespace

GivenInputs read_given_inputs(int fd) {
  GivenInputs given;
  given.text = read_to_the_end(fd);
  const json document = json::parse(given.text, nullptr, false);
  const auto refuse_it = [](const std::string& found) {
    throw Error("--stdin: found " + found + ", " + allowed);
  };
  if (!document.is_object()) refuse_it("no JSON object");
  for (const auto& [key, members] : document.items()) {
    if (key == "pipeline") {
      given.pipeline = sent_pipeline_from_json(members);
      continue;
    }
    if (key != "vars" && key != "secrets" && key != "promoted") {
      refuse_it("the unknown key '" + key + "'");
    }
    if (!members.is_object()) refuse_it("no object as '" + key + "'");
    for (const auto& [name, value] : members.items()) {
      if (key == "vars") {
        given.vars.push_back({name, value, Place{"--stdin"}});
      } else if (key == "promoted") {
        const auto is_text = [](const json& output) { return output.is_string(); };
        if (!value.is_object() || !std::all_of(value.begin(), value.end(), is_text)) {
          refuse_it("no object of texts as what the stage '" + name + "' has promoted");
        }
        given.promoted[name] = value;
      } else if (value.is_string()) {
        given.secrets[name] = value.get<std::string>();
      } else {
        refuse_it("no text as the secret '" + name + "'");
      }
    }
  }
  return given;
}

std::string given_inputs_text(const json& vars, const std::map<std::string, std::string>& secrets,
                              const json& promoted, const SentPipeline* pipeline) {
  json document = {{"vars", vars}, {"secrets", secrets}};
  if (!promoted.empty()) document["promoted"] = promoted;
  if (pipeline != nullptr) document["pipeline"] = to_json(*pipeline);
  return compact(document);
}

}  // namespace drydock
