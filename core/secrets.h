// Secrets: where they come from, which names are secret, and how they are kept out of whatever is
// written.
#pragma once

#include <bitset>
#include <cstdint>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "capture_command.h"
#include "dot_env.h"
#include "pipeline.h"

namespace drydock {

// Is a variable secret by its name: *_PASSWORD, *_TOKEN, *_KEY, ... (and not *_MAX_TOKENS,
// *_KEY_PREFIX, ...)?
bool is_secret_name(std::string_view name);

// Replaces every known secret by ***. Values of at least 6 bytes anywhere, also URL- and
// base64-encoded; shorter ones where they stand after "NAME=" or as the password of a URL. Also
// makes userinfo of any URL unreadable. Thread-safe.
class Masker {
 public:
  void add(const std::string& name, const std::string& value);
  void add_env(const Variables& env);  // the values that are secret by their names
  // Of a pipeline; likewise, but for contains_secret(): such a name may mean something else
  // (`cache_key: production`), and the journal keeps variables anyway. A value that is part of
  // `path` is left out: nobody could follow a remedy.
  void add_vars(const nlohmann::json& vars, const std::string& path = "");
  // Names that everybody may read, of images and services. A secret that is part of one is masked
  // like a short one: `postgres` and `dify-sandbox` are the default passwords of images that are
  // called so, and nobody could read a plan, or note an image, without them.
  void show_names(const std::vector<std::string>& names);
  std::string mask(std::string text) const;
  std::string mask(std::string_view text) const { return mask(std::string(text)); }
  std::string mask(const char* text) const { return mask(std::string(text)); }
  nlohmann::json mask(nlohmann::json value) const;  // every text in it
  // Of an error, for whoever has typed what it names: a URL's user without a password stays.
  std::string mask_sentence(std::string text) const;
  bool contains_secret(std::string_view text) const;

 private:
  enum class Users { masked, shown };
  // false: there was nothing to mask
  bool mask_in_place(std::string& text, Users users = Users::masked) const;
  void mask_in_place(nlohmann::json& value) const;
  bool is_part_of_a_name(const std::string& value) const;
  void add(const std::string& name, const std::string& value, bool presumed);
  void add_patterns(const std::string& name, const std::string& value, bool presumed);
  void add_pattern(std::string pattern, std::size_t kept, bool presumed);

  struct Pattern {
    std::string text;
    std::size_t kept;  // how many bytes at its beginning are no secret ("NAME=")
    bool presumed;     // it is of a variable that is secret by its name alone
  };
  struct Span {
    std::size_t begin, end;
  };
  // Ordered, none touches another.
  std::vector<Span> secret_spans(std::string_view text, Users users) const;

  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, bool> secrets_;  // names and values: presumed
  std::set<std::string> shown_;
  std::vector<Pattern> patterns_;
  // Patterns by their first two bytes, so that text without a secret costs one look-up a byte.
  std::unordered_map<std::uint16_t, std::vector<std::size_t>> by_prefix_;
  std::bitset<65536> prefixes_;
};

// Variables of a pipeline for people and documents: values that are secret by their names are
// masked, whatever they are, and where they stand in others.
nlohmann::json masked_vars(const nlohmann::json& vars);

// Reads a secret from its source, at most once each, and tells the masker at once.
class SecretStore {
 public:
  // dotenv: the deployment's .env as evaluated.
  SecretStore(std::map<std::string, SecretSource> sources, SharedVariables dotenv, Masker& masker);
  // Instead of its source. Throws Error when no such secret is declared.
  void give(const std::string& name, const std::string& value);
  // Of a declared secret: what its command has printed, for which somebody else has waited. Throws
  // Error as get() does.
  void take(const std::string& name, CapturedCommand command);
  // nullopt: optional and not set. Throws Error: which secret, which source, what to do; never the
  // value.
  std::optional<std::string> get(const std::string& name);

 private:
  static std::string where_from(const SecretSource& source);
  std::string printed_by(const std::string& name, CapturedCommand command) const;
  std::optional<std::string> accept(const std::string& name, const std::string& value);
  std::optional<std::string> read_secret(const std::string& name, const SecretSource& source) const;

  std::map<std::string, SecretSource> sources_;
  SharedVariables dotenv_;
  std::map<std::string, std::optional<std::string>> read_;
  Masker& masker_;
};

// The command of a secret that comes from one.
CaptureRequest request_of(const SecretSource& source);

// Sources as JSON, for the journal (places left out).
nlohmann::json to_json(const std::map<std::string, SecretSource>& sources);
std::map<std::string, SecretSource> secret_sources_from_json(const nlohmann::json& json);

}  // namespace drydock
