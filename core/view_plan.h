// The plan on one screen: what every stage would change, grouped by what it is, what a rollback
// would lose, and what is known only later.
#pragma once

#include <vector>

#include "view_text.h"

namespace drydock {

class PlanReport {
 public:
  // Takes plan.started (which begins a new plan), stage.planned and plan.finished.
  void add(const Event& event);
  // After plan.started: pipeline, deployment, project, compose files, engine, variables.
  Lines header(const ViewStyle& style) const;
  // After plan.finished. With style.shows_all() every change is listed, else what fits.
  Lines body(const ViewStyle& style) const;

 private:
  nlohmann::json started_, finished_;
  std::vector<Event> stages_;
};

}  // namespace drydock
