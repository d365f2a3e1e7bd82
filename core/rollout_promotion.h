// What environments of passed waves promote: image digests, the release's revision. Later waves
// accept nothing else, and environments that were upgraded to different things cannot both be
// right.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace drydock {

class Promotion {
 public:
  // outputs: stage -> name -> text, of an environment that was upgraded. Returns how they differ
  // from those of another one, as a sentence's part; "": they agree. Texts that are JSON objects
  // (`digests` of `pull`: service -> digest) are compared key by key, since not every environment
  // has each.
  std::string add(const std::string& environment, const nlohmann::json& outputs);

  // All that was added, in the same form.
  nlohmann::json accepted() const;

 private:
  struct Value {
    nlohmann::json value;                        // a text, or an object of texts
    std::string environment;                     // that it came from first
    std::map<std::string, std::string> members;  // of an object: key -> environment
  };
  std::map<std::string, std::map<std::string, Value>> values_;  // by stage and name
};

}  // namespace drydock
