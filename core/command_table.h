// The commands of `drydock`, each with its operands, its texts and the groups of options it takes.
#pragma once

#include <array>
#include <string>
#include <vector>

namespace drydock {

enum OptionGroup : unsigned {
  none = 0,
  pipeline = 1,
  output = 2,
  stream = 4,
  consent = 8,
  fetches = 16,
  loses = 32,
  starts = 64,
  follows = 128,
  forces = 256,
  prunes = 512,
  keeps = 1024,
  authors = 2048,
  rolls = 4096,
  looks = 8192
};

struct Command {
  const char* name;
  const char* operand;  // what a word without an option means; "" when there is none
  const char* summary;
  unsigned groups;
  const char* text;
  const char* example;
};

extern const std::array<Command, 17> commands;

// Null: no command has this name.
const Command* find_command(const std::string& name);

// What a command with several of them can do, such as list and verify; none of most commands.
std::vector<std::string> actions_of(const Command& command);

}  // namespace drydock
