// What compose-up notes before its first change, and what it makes of that afterwards.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "drydock/stage.hpp"
#include "up_decisions.h"

namespace drydock::compose {

struct Noted {
  std::vector<Container> present;  // all that there was
  std::vector<Container> before;   // what no earlier stage of this run had made
  Names scope;
};
// A repeated run keeps what the first attempt noted: its own work is not the old state.
Noted remember_once(const Call& call, const std::vector<Container>& existing, const Names& scope);
// nullopt: it ended before it changed anything.
std::optional<Noted> noted_by_run(const Call& call);

// Around a `docker compose up` that may replace containers: what it was replacing when it was cut
// off may still be stopping.
void note_at_work(const Call& call);
void note_ended(const Call& call);
std::vector<std::string> possibly_stopping(const Call& call, const Noted& noted);

// Before the command that makes a container refuse its work, which nothing takes back: such a
// container must not go on after a rollback.
void note_drained(const Call& call, const std::string& id);
Names drained(const Call& call);  // ids

// Of `existing` those that the stage has made or started.
std::vector<Container> started_since(const Noted& noted, const std::vector<Container>& existing);

}  // namespace drydock::compose
