// The commands that a rollout prints for a person to paste: whichever folder they are pasted in,
// each is about the same rollout in the same state.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "command_line.h"

namespace drydock {

class RolloutCommands {
 public:
  // file, name: of the rollout. folder: where its name finds it, "" where its file does. state: the
  // options that say where its state is. plugins: those for whatever runs a stage. Options are
  // quoted for a shell already.
  RolloutCommands(const std::string& file, const std::string& name, const std::string& folder,
                  std::string state, std::string plugins);

  // "drydock rollout ACTION ROLLOUT MORE", with the options. more: words, quoted.
  std::string of(const std::string& action, const std::string& more = "") const;

 private:
  std::string file_, drydock_, named_, state_, plugins_;
};

// --state-dir and --state, as far as they were given, so that they mean the same in every folder;
// "": neither was. Never a password: a URL that has one was refused.
std::string state_words(const Arguments& arguments);
std::string plugin_words(const std::vector<std::string>& plugin_dirs);

// A URL of PostgreSQL with its user as a parameter. It means the same, and nothing that masks what
// stands before an '@' takes it for a password.
std::string with_user_as_parameter(const std::string& url);

}  // namespace drydock
