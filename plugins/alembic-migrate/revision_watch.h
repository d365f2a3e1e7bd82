// Ticks off revisions as the database passes them.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "drydock/stage.hpp"
#include "migrated_database.h"
#include "revision_graph.h"

namespace drydock::alembic {

// By what the database says: what a migrator says of itself it may say of a transaction that is
// rolled back.
class RevisionWatch {
 public:
  // graph: nullptr when the scripts are not known; then it cannot be told how many are to come.
  RevisionWatch(const Call&, const MigratedDatabase&, Revisions before, const RevisionGraph* graph);
  ~RevisionWatch();
  RevisionWatch(const RevisionWatch&) = delete;
  RevisionWatch& operator=(const RevisionWatch&) = delete;

  // Looks every second from now on, in a thread of its own, while it may. Not at an SQLite file: a
  // reader would lock it.
  void start(std::function<bool()> may_look = {});
  // One look: tells of what has changed since the last one.
  void look(const Revisions& now);

 private:
  void watch() noexcept;
  std::size_t left(const Revisions& at) const;

  const Call& call_;
  const MigratedDatabase& database_;
  Revisions seen_;
  const RevisionGraph* graph_;
  std::size_t total_ = 0;
  std::function<bool()> may_look_;
  std::mutex mutex_;
  std::condition_variable end_;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace drydock::alembic
