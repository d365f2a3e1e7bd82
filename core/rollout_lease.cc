#include "rollout_lease.h"

#include <poll.h>

#include <iostream>
#include <utility>

#include "error.h"
#include "text.h"

namespace drydock {

Lease::Lease(Workbench& bench, RolloutStore& store, const RolloutPlace& place,
             const RolloutPlan& plan)
    : store_(store) {
  store.take(supervisorship_of(place, plan));
  if (!store.is_shared()) return;
  store.set_patience(patience(bench, plan.name, place.commands(plan).of("resume")), [this] {
    told_ = false;
    std::cerr << "drydock: the shared state answers again\n";
  });
}

// A server that restarts is waited for. Nothing is begun meanwhile; what runs goes on by itself.
std::function<bool(const std::string&)> Lease::patience(Workbench& bench,
                                                        const std::string& rollout,
                                                        const std::string& resume) {
  return [this, &bench, rollout, resume](const std::string& why) {
    if (!std::exchange(told_, true)) {
      std::cerr << "drydock: the shared state does not answer (" << make_visible(why)
                << "); waiting for it, while runs go on by themselves\n";
    }
    constexpr int look_again_ms = 1000;
    pollfd cancelled{bench.cancellation().fd(), POLLIN, 0};
    if (::poll(&cancelled, 1, look_again_ms) <= 0) return true;
    throw Error("the rollout '" + rollout +
                    "' was left while the shared state did not answer; its runs go on by "
                    "themselves. Go on with: " +
                    resume,
                ExitCode::busy);
  };
}

Lease::~Lease() {
  store_.set_patience({});
  try {
    store_.give_up();
  } catch (const std::exception&) {
    // It runs out by itself.
  }
}

}  // namespace drydock
