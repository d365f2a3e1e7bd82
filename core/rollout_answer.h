// What a command of Drydock answered, here or on another host; and where no Drydock answered, what
// stood in its way: the link, the login, sudo, a program that is not there.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "child_pool.h"
#include "rollout_plan.h"

namespace drydock {

struct Obstacle {
  enum class Kind {
    away,     // the host was not reached, so the command has not begun
    lost,     // the link was lost: the command may have done all of its work
    refused,  // the host is there and does not let us in, or is not the one that we know
  };
  Kind kind = Kind::away;
  std::string sentence;  // names the host and the remedy
  bool may_pass() const { return kind != Kind::refused; }
};

// Why there is no answer of Drydock's own. nullopt: it has answered, or says on its standard error
// why not.
std::optional<Obstacle> obstacle_to(const RolloutTarget& target, const ChildEvent& ended);

// The document that a command has printed. A login shell that greets, or complains, does so before
// it; what stands there is not ours. Null where there is none.
nlohmann::json answer_in(const std::string& printed);

// Adds a line to what a command has printed. Of more than any answer has nothing is kept: a host
// that is not what we think could fill the memory.
void add_line(std::string& printed, const std::string& line);

// What a command says of why it failed: its document, else its standard error, else what it printed
// instead of a document.
std::string reason_of(const std::string& printed, const ChildEvent& event);

// Of a standard error: what Drydock says there, else its first line.
std::string said_on(const std::string& error);

}  // namespace drydock
