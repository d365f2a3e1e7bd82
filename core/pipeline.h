// A pipeline file as values: what it declares, each with its place. docs/pipelines.md is the
// reference.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "place.h"
#include "plugin_index.h"

namespace drydock {

struct Retry {
  unsigned times = 0;  // further attempts after the first
  std::chrono::milliseconds delay{0};
};

struct StageSpec {
  std::string id;    // default: uses
  Place id_place;    // line 0: not written
  std::string name;  // for people; default: id
  std::string uses;
  nlohmann::json with = nlohmann::json::object();  // expressions not yet evaluated
  Places places;                                   // of `with`, by JSON Pointer below it
  std::string when;                                // an expression text, or empty
  Place place, when_place;
  std::optional<std::chrono::milliseconds> timeout, rollback_timeout;
  Retry retry;
  bool continue_on_failure = false;
  std::int64_t memory_limit = 0;  // bytes; 0: none
  unsigned block = 0;             // the `parallel:` block that it stands in, from 1; 0: none
};

// The stage type that a pipeline's `probe:` stands for.
inline constexpr auto probe_type = "http-probe";
// Nor is this one: it drops what restores have set aside, when a person removes it.
inline constexpr auto set_aside_type = "set-aside";

struct VariableSpec {
  bool required = false;
  std::optional<nlohmann::json> value;  // default
  std::string help;
  Place place;
};

struct SecretSource {
  enum class Kind { env, file, command, dotenv };
  Kind kind = Kind::env;
  std::vector<std::string>
      value;  // a name, a path, an argument vector, a key of the deployment's .env
  bool optional = false;
  Place place;
};

// `auto` is nullopt.
struct DeploymentSpec {
  std::string dir = ".";  // relative to -C DIR, else to the working directory
  std::optional<std::vector<std::string>> files;
  std::optional<std::string> project;
  std::optional<std::vector<std::string>> profiles;
};

struct PluginPin {
  std::string version, sha256;  // empty: not pinned
  Place place;
};

struct IncludedFile {
  std::string file;    // as a person would name it; relative like the pipeline's own
  std::string sha256;  // of its bytes
};

struct Pipeline {
  std::string file;                    // as a person would name it
  std::string sha256;                  // of its bytes
  std::vector<IncludedFile> includes;  // whose stages are among `stages` and `finally`
  std::string name, summary;
  std::optional<std::string> recognise_image;  // what `init` may look for
  DeploymentSpec deployment;
  std::map<std::string, VariableSpec> vars;
  std::map<std::string, SecretSource> secrets;
  std::map<std::string, PluginPin> plugins;
  std::optional<StageSpec> probe;  // measures the time without an answer; no stage of a run
  std::vector<StageSpec> stages, finally;
  bool rollback_on_failure = true;
};

// Both throw Error with the place of the first problem.
// `secrets_folder`: where relative files of its secrets begin; "": in the pipeline's folder.
Pipeline parse_pipeline(const std::string& text, const std::string& file,
                        const std::string& secrets_folder = "");
Pipeline load_pipeline(const std::string& file, const std::string& secrets_folder = "");
// `drydock run --uses NAME --with key=value ...`: a pipeline of one stage, without a file. A value
// is read as YAML.
Pipeline single_stage_pipeline(const std::string& uses, const std::vector<std::string>& with);

// Against the plugins: stage types exist, `with:` fits their schemas (unresolved expressions count
// as any value), every name in every expression is defined, secrets stand only in writeOnly
// options, pins hold. Throws Error.
void check_pipeline(const Pipeline& pipeline, const PluginIndex& plugins);
// By plugin id, of those that are pinned by it.
std::map<std::string, std::string> pinned_digests(const Pipeline& pipeline);

// A variable with the place that gives it its value.
struct GivenVar {
  std::string name;
  nlohmann::json value;
  Place place;
};

// `--vars-file` contents, then `--var k=v` (v is read as YAML). Throws Error.
std::vector<GivenVar> read_vars(const std::vector<std::string>& files,
                                const std::vector<std::string>& assignments);

// What is given, of two values the later, over the defaults. Throws Error for a variable that is
// unknown (nearest name) or required and missing; `whose` completes "has no value".
nlohmann::json resolve_vars(const Pipeline& pipeline, const std::vector<GivenVar>& given,
                            const std::string& whose = "");

}  // namespace drydock
