// The program that migrates: in a one-off container of a service, or on this machine.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "drydock/stage.hpp"

namespace drydock::alembic {

// A name for a one-off container of this stage, unique among runs and deployments of one engine;
// short enough to be the name of a database session too. purpose: "migrate", "heads", "scripts".
std::string container_name(const Call&, const std::string& purpose);
// Before it is created: so that a rollback, or a repeated run, finds what is left of it.
void note_container(const Call&, const std::string& container);
// The same for the name under which sessions in the database are opened. Containers are such names.
void note_session(const Call&, const std::string& session);
std::vector<std::string> noted_sessions(const Call&);

// A value of the environment. A secret one is in no argument list.
struct Variable {
  std::string value;
  bool secret = false;
};
using Variables = std::map<std::string, Variable>;

// What the options say to run. container: its name, for a service; that of its sessions, else.
// instead: variables in place of those of the options and of the service.
Process migrator_process(const Call&, const std::string& container, const Variables& instead = {});
// The command in place of the image's entrypoint, or on this machine.
Process script_process(const Call&, const std::string& container,
                       const std::vector<std::string>& command, const Variables& instead = {});

// The migrator's command up to its `upgrade`, and `words` instead of that and what follows it.
// Empty: it has none.
std::vector<std::string> in_place_of_upgrade(const Call&, const std::vector<std::string>& words);
// Commands that may print the heads, the likeliest first. Throws BadOptions when there is none.
std::vector<std::vector<std::string>> heads_commands(const Call&);
// The revisions that `alembic heads` or `flask db heads` printed among whatever else the
// application prints while it loads.
std::vector<std::string> parse_heads(const std::string& printed);
// The same commands with `current` for `heads`. Empty: an own `heads_command` that does not end so.
std::vector<std::vector<std::string>> current_commands(const Call&);
// Asks for the heads, in a noted container where there is a service. Sorted. Throws Failed.
std::vector<std::string> ask_heads(const Call&);

// A command as people write it.
std::string joined(const std::vector<std::string>& words);

// Removes what is left of the noted one-off containers, running or not, and says so.
void end_containers(const Call&);

// Why a program failed: the last lines of its output that say something, on one line.
class LastLines {
 public:
  void add(std::string_view line);
  std::string text() const;

 private:
  std::vector<std::string> lines_;
};

}  // namespace drydock::alembic
