// `.env` as Docker Compose evaluates it.
#pragma once

#include <map>
#include <memory>
#include <string>

namespace drydock {

class Masker;

using Variables = std::map<std::string, std::string>;
using SharedVariables = std::shared_ptr<const Variables>;

// Is there anything in the place of `.env` that counts? Compose takes a folder, and a link that
// leads nowhere, for none; whatever else is there and cannot be read is an error.
bool has_dot_env(const std::string& file);

// Empty when there is none. Throws Error with the file, or the line.
Variables evaluate_dot_env(const std::string& file);

// For many who ask again and again, as every stage's expressions do: `.env` hardly ever differs
// from what it was. The same bytes are evaluated, and their secrets told to the masker, once.
class DotEnv {
 public:
  explicit DotEnv(Masker& masker) : masker_(masker) {}
  // As evaluate_dot_env.
  SharedVariables read(const std::string& file);

 private:
  Masker& masker_;
  std::string content_;  // what variables_ were evaluated from
  SharedVariables variables_ = std::make_shared<const Variables>();
};

}  // namespace drydock
