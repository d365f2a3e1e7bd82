#include "puller.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <optional>

#include "compose_command.h"
#include "compose_patience.h"
#include "image_reference.h"
#include "registry_refusal.h"

namespace drydock::pull {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t at_once = 3;

// Ends before the step does, so that it is told which image did not come.
std::optional<milliseconds> patience(const Call& call) {
  const auto left = call.time_left();
  if (!left) return std::nullopt;
  return std::max(*left - std::min(*left / 10, milliseconds(3000)), milliseconds(1));
}

std::string seconds(milliseconds time) {
  return std::to_string((time.count() + 500) / 1000) + " s";
}

// One line of `docker pull` for each layer and state is too much for a person.
void pull(const Call& call, const Order& order) {
  call.info("pull " + order.purpose);
  const auto limit = patience(call);
  Process process{{"docker", "pull"}};
  if (!order.platform.empty()) {
    process.arguments.insert(process.arguments.end(), {"--platform", order.platform});
  }
  process.arguments.push_back(order.name);
  process.timeout = limit.value_or(milliseconds(0));
  const Captured captured = compose::answer_of(call, [&] {
    Captured said;
    process.on_line = [&](Stream stream, std::string_view line) {
      (stream == Stream::out ? said.out : said.err).append(line).append("\n");
      call.debug(line);
    };
    said.exit = call.run(process);
    return said;
  });
  if (captured.exit.ok()) return;
  const std::string what = "pull the image " + order.purpose;
  if (captured.exit.timed_out) {
    throw Failed("cannot " + what + ": the registry " + registry_of(order.name) +
                 " has not delivered it in the " + seconds(*limit) +
                 " that the stage's `timeout` left; check the registry and the network, or allow "
                 "it more time");
  }
  if (compose::engine_is_away(captured) || captured.err.empty()) {
    throw compose::engine_refused(captured, what);
  }
  throw Failed("cannot " + what + ": " + registry_refusal(order.name, captured.err));
}

}  // namespace

void pull_all(const Call& call, const std::vector<Order>& orders) {
  if (orders.empty()) return;
  std::atomic<std::size_t> next = 0, done = 0;
  const auto take = [&] {
    for (std::size_t i = next++; i < orders.size(); i = next++) {
      try {
        pull(call, orders[i]);
      } catch (...) {
        next = orders.size();
        throw;
      }
      call.progress(++done, orders.size(), "images");
    }
  };
  call.progress(0, orders.size(), "images");
  std::vector<std::future<void>> pullers;
  for (std::size_t i = 0; i < std::min(at_once, orders.size()); ++i) {
    pullers.push_back(std::async(std::launch::async, take));
  }
  for (std::future<void>& puller : pullers) puller.wait();
  for (std::future<void>& puller : pullers) puller.get();
}

}  // namespace drydock::pull
