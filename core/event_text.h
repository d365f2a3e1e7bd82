// An event as one sentence: what run.log keeps and what the plain view prints.
#pragma once

#include <string>

#include "events.h"
#include "worker.h"

namespace drydock {

struct EventText {
  LogLevel level = LogLevel::info;
  std::string text;  // may hold line ends; not yet made visible
};

// An event of a type that this function does not know is its type and its JSON, at level debug.
EventText text_of(const Event& event);

// The level of a log event; info when it says none that we know.
LogLevel level_of(const Event& log_event);

}  // namespace drydock
