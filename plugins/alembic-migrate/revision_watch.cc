#include "revision_watch.h"

#include <algorithm>

#include "script_reader.h"

namespace drydock::alembic {
namespace {

constexpr auto interval = std::chrono::seconds(1);

}  // namespace

RevisionWatch::RevisionWatch(const Call& call, const MigratedDatabase& database, Revisions before,
                             const RevisionGraph* graph)
    : call_(call), database_(database), seen_(std::move(before)), graph_(graph) {
  total_ = left(seen_);
}

void RevisionWatch::start(std::function<bool()> may_look) {
  may_look_ = std::move(may_look);
  if (database_.sqlite.empty()) thread_ = std::thread([this] { watch(); });
}

RevisionWatch::~RevisionWatch() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ended_ = true;
  }
  end_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::size_t RevisionWatch::left(const Revisions& at) const {
  if (graph_ == nullptr || !unknown_stamps(*graph_, at).empty()) return 0;
  return graph_->pending(at.value_or(std::vector<std::string>{})).size();
}

void RevisionWatch::look(const Revisions& now) {
  const std::string before = describe(seen_), after = describe(now);
  if (before == after) return;
  const std::size_t done = total_ - std::min(total_, left(now));
  call_.info("database " + database_.name + " has passed " + before + " -> " + after +
             (total_ == 0
                  ? ""
                  : ", " + std::to_string(done) + " of " + std::to_string(total_) + " revisions"));
  if (total_ != 0) call_.progress(done, total_, "revisions");
  seen_ = now;
}

void RevisionWatch::watch() noexcept {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!end_.wait_for(lock, interval, [this] { return ended_; })) {
    lock.unlock();
    try {
      if (!may_look_ || may_look_()) look(revisions_now(call_, database_));
    } catch (const Cancelled&) {
      return;
    } catch (const std::exception& e) {
      call_.debug(e.what());  // the next look may do better
    } catch (...) {
      return;  // the host has said why
    }
    lock.lock();
  }
}

}  // namespace drydock::alembic
