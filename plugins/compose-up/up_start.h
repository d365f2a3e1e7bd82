// Starting what the files ask for, in the way that the option `strategy` names.
#pragma once

#include <vector>

#include "drydock/stage.hpp"
#include "up_decisions.h"
#include "up_notes.h"
#include "up_options.h"

namespace drydock::compose {

// All in one `docker compose up`; those of `forced` are made anew before that. Waits for nothing.
void start_all(const Call& call, const Model& model, const Names& scope, const Names& forced);

// One after the other, each proven to be up before the next one is touched. `changes` as
// decide_changes() orders them.
void start_in_turn(const Call& call, const Situation& situation,
                   const std::vector<ServiceChange>& changes, const Noted& noted);

// Waits until all of the scope is up, and what was started since `noted` stays so.
void prove_up(const Call& call, const Model& model, const Noted& noted,
              std::chrono::milliseconds wait);

// Throws Failed when the strategy cannot be kept to, with all the reasons.
void refuse_rolling(const Call& call, const Model& model,
                    const std::vector<ServiceChange>& changes);

}  // namespace drydock::compose
