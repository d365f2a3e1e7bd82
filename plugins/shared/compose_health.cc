#include "compose_health.h"

#include <algorithm>

#include "compose_engine.h"
#include "compose_patience.h"

namespace drydock::compose {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds longest_poll{1000};

[[noreturn]] void give_up(const Call& call, const Culprit& culprit, const std::string& when) {
  throw Failed(culprit.sentence() + when +
               (culprit.container.id.empty() ? "" : show_logs(call, culprit.container)));
}

// The same containers as they are now: cheaper than listing all, which is only done when one of
// them is gone or one is still to come.
std::vector<Container> look_again(const Call& call, const std::vector<Container>& last,
                                  const Culprit& culprit) {
  std::vector<std::string> ids;
  for (const Container& one : last) ids.push_back(one.id);
  if (culprit.container.id.empty()) return project_containers(call);
  std::vector<Container> now = inspect(call, ids);
  return now.size() == ids.size() ? now : project_containers(call);
}

bool starts_again(const std::string& restart_policy) {
  return restart_policy == "always" || restart_policy == "unless-stopped";
}

bool counts(const Expectation& expected, const Container& container) {
  return container.serves() && container.service == expected.service &&
         (expected.ids.empty() || expected.ids.count(container.id) != 0);
}

std::vector<Container> counted(const std::vector<Expectation>& expected,
                               const std::vector<Container>& existing) {
  std::vector<Container> result;
  for (const Container& one : existing) {
    const bool is = std::any_of(expected.begin(), expected.end(),
                                [&](const Expectation& each) { return counts(each, one); });
    if (is) result.push_back(one);
  }
  return result;
}

// The first one that has begun again too often since the first look at it.
std::optional<Culprit> begins_again_and_again(std::map<std::string, int>& first_restarts,
                                              const std::vector<Container>& containers) {
  for (const Container& one : containers) {
    const int first = first_restarts.try_emplace(one.id, one.restarts).first->second;
    if (one.restarts - first < restart_loop) continue;
    std::string how = std::to_string(one.restarts) + " times";
    if (one.state == "restarting") how += ", code " + std::to_string(one.exit_code);
    if (one.out_of_memory) how += ", killed for lack of memory";
    return Culprit{one, {Readiness::failed, "keeps restarting (" + how + ")"}};
  }
  return std::nullopt;
}

// The first container that lived in `before` and is another one by now, or began anew.
std::optional<Culprit> restarted(const std::vector<Container>& before,
                                 const std::vector<Container>& now) {
  for (const Container& was : before) {
    if (was.state != "running") continue;
    const Container* is = find_id(now, was.id);
    if (is == nullptr) {
      Container gone = was;
      gone.id.clear();  // it has no log any more
      return Culprit{gone, {Readiness::failed, "was replaced, and not by Drydock"}};
    }
    if (is->started_at != was.started_at && is->runs()) {
      return Culprit{*is, {Readiness::failed, "was restarted"}};
    }
  }
  return std::nullopt;
}

}  // namespace

Verdict judge(const Container& container, const Expectation& expected) {
  const std::string killed = container.out_of_memory ? ", killed for lack of memory" : "";
  const std::string code = "code " + std::to_string(container.exit_code) + killed;
  if (container.state == "running") {
    if (expected.must_finish) return {Readiness::not_yet, "has not finished its work"};
    if (!expected.health_counts || container.health.empty() || container.health == "healthy") {
      return {Readiness::ready, ""};
    }
    return {Readiness::not_yet,
            container.health == "starting" ? "has not become healthy" : "is " + container.health};
  }
  if (container.state == "exited") {
    // The engine calls a container that it will start again "restarting", so this one is at its
    // end.
    if (container.exit_code != 0) return {Readiness::failed, "exited with " + code};
    const bool may_finish =
        expected.may_finish && !starts_again(container.restart_policy) && container.health.empty();
    if ((expected.must_finish || may_finish) && !left_stopped(container, expected.ran_before)) {
      return {Readiness::ready, ""};
    }
    return {Readiness::failed, "was stopped (exit code 0)"};
  }
  if (container.state == "restarting")
    return {Readiness::not_yet, "keeps restarting (" + code + ")"};
  if (container.state == "created") return {Readiness::not_yet, "was created but not started"};
  if (container.state == "paused") return {Readiness::not_yet, "is paused"};
  return {Readiness::failed, "is " + container.state};
}

std::vector<Expectation> expectations(const Model& model, const std::set<std::string>& services) {
  std::vector<Expectation> result;
  const std::set<std::string> one_shot = model.one_shot();
  for (const std::string& name : services) {
    const auto found = model.services.find(name);
    if (found == model.services.end() || found->second.replicas <= 0) continue;
    Expectation one{name, static_cast<std::size_t>(found->second.replicas),
                    one_shot.count(name) != 0};
    // Not the container's policy, which is `no` as long as compose-stop holds it.
    one.may_finish = !starts_again(found->second.restart_policy);
    result.push_back(std::move(one));
  }
  return result;
}

std::string Culprit::sentence() const {
  return "service " + container.service + " " + verdict.reason +
         (container.name.empty() ? "" : " (container " + container.name + ")");
}

std::optional<Culprit> first_not_ready(const std::vector<Expectation>& expected,
                                       const std::vector<Container>& existing) {
  const auto services = by_service(existing);
  std::optional<Culprit> waiting;
  for (const Expectation& one : expected) {
    const auto found = services.find(one.service);
    std::size_t ready = 0;
    std::optional<Culprit> culprit;
    for (const Container& container :
         found == services.end() ? std::vector<Container>() : found->second) {
      if (!counts(one, container)) continue;
      const Verdict verdict = judge(container, one);
      if (verdict.readiness == Readiness::ready) ++ready;
      const bool worse = !culprit || verdict.readiness == Readiness::failed;
      if (verdict.readiness != Readiness::ready && worse) culprit = Culprit{container, verdict};
    }
    if (ready >= one.containers) continue;
    if (!culprit) {
      Container missing;
      missing.service = one.service;
      culprit = Culprit{missing,
                        {Readiness::not_yet, "has " + std::to_string(ready) + " of " +
                                                 std::to_string(one.containers) + " containers"}};
    }
    if (culprit->verdict.readiness == Readiness::failed) return culprit;
    if (!waiting) waiting = culprit;
  }
  return waiting;
}

void wait_until_ready(const Call& call, const std::vector<Expectation>& expected,
                      const WaitOptions& options) {
  if (expected.empty()) return;
  const Clock::time_point begin = Clock::now();
  std::vector<Container> existing = project_containers(call);
  std::map<std::string, int> first_restarts;
  for (;;) {
    const std::optional<Culprit> culprit = first_not_ready(expected, existing);
    if (!culprit) break;
    if (culprit->verdict.readiness == Readiness::failed) give_up(call, *culprit, "");
    if (const auto loop = begins_again_and_again(first_restarts, counted(expected, existing))) {
      give_up(call, *loop, "");
    }
    if (Clock::now() - begin >= options.wait) {
      give_up(call, *culprit, " after " + in_words(options.wait));
    }
    const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
    pause_for(call, std::clamp(waited / 10, options.poll, longest_poll));
    existing = look_again(call, existing, *culprit);
  }
  if (options.healthy_for.count() > 0) stay_ready(call, expected, options.healthy_for);
}

void stay_ready(const Call& call, const std::vector<Expectation>& expected,
                std::chrono::milliseconds healthy_for) {
  std::vector<Container> existing = project_containers(call);
  const std::vector<Container> alive = counted(expected, existing);
  const Clock::time_point ready = Clock::now();
  const std::string unstable = ", less than " + in_words(healthy_for) + " after it was up";
  for (;;) {
    if (const auto culprit = first_not_ready(expected, existing)) give_up(call, *culprit, unstable);
    if (const auto culprit = restarted(alive, existing)) give_up(call, *culprit, unstable);
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(healthy_for - (Clock::now() - ready));
    if (left.count() <= 0) return;
    pause_for(call, std::min(longest_poll, left + std::chrono::milliseconds(1)));
    existing = project_containers(call);
  }
}

std::string show_logs(const Call& call, const Container& container) {
  const std::vector<std::string> lines = recent_logs(call, container.id);
  std::string last;
  for (const std::string& line : lines) {
    call.error(container.service + " | " + line);
    if (line.find_first_not_of(" \t\r") != std::string::npos) last = line;
  }
  if (last.size() > 300) last = last.substr(0, 300) + " ...";
  return last.empty() ? "" : "; its last words: " + last;
}

std::string in_words(std::chrono::milliseconds duration) {
  const auto count = duration.count();
  if (count % 1000 != 0) return std::to_string(count) + "ms";
  if (count % 60000 != 0 || count == 0) return std::to_string(count / 1000) + "s";
  return std::to_string(count / 60000) + "m";
}

}  // namespace drydock::compose
