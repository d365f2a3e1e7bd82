// Runs of environments as shared history keeps them, what is shown of them, and how long the next
// one is likely to take.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "rollout_store.h"
#include "view_text.h"

namespace drydock {

// Of a run that a rollout has followed. finished: the data of its run.finished; null: never seen.
RunSummary summary_of(const RolloutPlan& plan, const RolloutTarget& target,
                      const TargetRecord& record, const nlohmann::json& finished,
                      const std::string& user, const std::string& here);

// Of all runs that `drydock history --json` printed there, also those that no rollout has started.
// Empty: nothing that can be read.
std::vector<RunSummary> summaries_in(const std::string& document, const RolloutTarget& target,
                                     const std::string& here);

Lines history_lines(const std::vector<RunSummary>& runs, const ViewStyle& style);
nlohmann::json history_document(const std::vector<RunSummary>& runs);

// How long a run of the pipeline is likely to take there: the median of the last ones that went
// well, else of those of other environments. -1: nothing is known.
std::int64_t likely_duration_ms(const std::vector<RunSummary>& newest_first,
                                const std::string& pipeline, const std::string& place);

// A wave of such runs, each of the waiting ones begun when one before it ends, with its soak.
// -1: of at least one nothing is known.
std::int64_t likely_wave_ms(const std::vector<std::int64_t>& durations, unsigned parallel,
                            std::int64_t soak_ms);

}  // namespace drydock
