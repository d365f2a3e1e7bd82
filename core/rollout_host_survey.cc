#include "rollout_host_survey.h"

#include <algorithm>
#include <deque>
#include <map>

#include "error.h"
#include "process.h"
#include "rollout_patience.h"
#include "rollout_supervisor.h"
#include "text.h"

namespace drydock {
namespace {

// Where there are more, the process that would keep a connection to each of them is not worth it.
constexpr std::size_t most_kept = 200;

// The environments of each host, in the order in which they are to be asked; on this machine each
// by itself.
using Queues = std::map<std::string, std::deque<std::size_t>>;

std::string queue_of(const RolloutTarget& target) {
  return target.host.empty() ? "here: " + target.name : target.host;
}

class Questions {
 public:
  Questions(const RolloutPlan& plan, const Hosts& hosts, const SurveyRequest& request,
            SurveyProgress& progress)
      : plan_(plan),
        hosts_(hosts),
        request_(request),
        progress_(progress),
        queues_(queues_of(plan, request)),
        brief_(queues_.size() > most_kept),
        next_(queues_.begin()),
        printed_(plan.targets.size()),
        asked_(plan.targets.size(), 0) {}

  std::vector<HostReport> ask(const Cancellation& cancellation) {
    std::vector<HostReport> reports(plan_.targets.size());
    progress_.begin("asked", request_.targets.size(), steady_milliseconds());
    for (;;) {
      while (next_ != queues_.end() && pool_.running() < most_asked_at_once)
        ask_next((next_++)->second);
      if (pool_.running() == 0) {
        progress_.end();
        return reports;
      }
      const auto most = progress_.show(steady_milliseconds());
      for (const ChildEvent& event : pool_.wait(most, cancellation.fd())) {
        if (!event.ended) {
          add_line(printed_[event.tag], event.text);
          continue;
        }
        const RolloutTarget& target = plan_.targets[event.tag];
        reports[event.tag] = read_host_report(target, printed_[event.tag], event, asked_[event.tag],
                                              now_in_milliseconds());
        progress_.answered(target.name);
        std::deque<std::size_t>& others = queues_[queue_of(target)];
        if (!others.empty()) ask_next(others);
      }
      if (cancellation.requested()) {
        throw Error("cancelled while the hosts were asked; nothing was changed",
                    ExitCode::cancelled);
      }
    }
  }

 private:
  static Queues queues_of(const RolloutPlan& plan, const SurveyRequest& request) {
    Queues queues;
    for (const std::size_t each : request.targets) {
      queues[queue_of(plan.targets[each])].push_back(each);
    }
    return queues;
  }

  void ask_next(std::deque<std::size_t>& queue) {
    const std::size_t target = queue.front();
    queue.pop_front();
    asked_[target] = now_in_milliseconds();
    const RolloutTarget& to = plan_.targets[target];
    ChildCommand command = hosts_.command(to, question_for(to, request_.plugin_dirs), brief_);
    command.timeout = short_command_timeout(plan_);
    pool_.start(target, command);
    progress_.asks(to.name);
  }

  const RolloutPlan& plan_;
  const Hosts& hosts_;
  const SurveyRequest& request_;
  SurveyProgress& progress_;
  Queues queues_;
  const bool brief_;
  Queues::iterator next_;
  std::vector<std::string> printed_;
  std::vector<Instant> asked_;
  ChildPool pool_;
};

// Each sentence with the names that it is about, in the order of the plan.
std::vector<std::pair<std::string, std::vector<std::string>>> gathered(
    const RolloutPlan& plan, const HostSurvey& survey,
    std::vector<std::string> HostFindings::*sentences) {
  std::vector<std::pair<std::string, std::vector<std::string>>> result;
  for (std::size_t i = 0; i < plan.targets.size(); ++i) {
    for (const std::string& sentence : survey.findings[i].*sentences) {
      auto same = std::find_if(result.begin(), result.end(),
                               [&](const auto& each) { return each.first == sentence; });
      if (same == result.end()) same = result.insert(result.end(), {sentence, {}});
      same->second.push_back(plan.targets[i].name);
    }
  }
  return result;
}

std::string names_text(const std::vector<std::string>& names) {
  constexpr std::size_t most_named = 5;
  if (names.size() <= most_named) return join(names, ", ");
  const std::vector<std::string> first(names.begin(), names.begin() + most_named);
  return join(first, ", ") + " and " + std::to_string(names.size() - most_named) + " more";
}

}  // namespace

std::vector<std::string> question_for(const RolloutTarget& target,
                                      const std::vector<std::string>& plugin_dirs) {
  std::vector<std::string> words = {"status", "--installation", "--json"};
  if (!target.host.empty()) return words;
  for (const std::string& dir : plugin_dirs) words.insert(words.end(), {"--plugin-dir", dir});
  return words;
}

HostSurvey survey_hosts(const RolloutPlan& plan, const Hosts& hosts, const SurveyRequest& request,
                        SurveyProgress& progress, const Cancellation& cancellation) {
  // The process that keeps a connection to a host is an orphan as soon as its first command ends.
  leave_orphans_to_init();
  HostSurvey survey;
  survey.reports = Questions(plan, hosts, request, progress).ask(cancellation);
  for (std::size_t i = 0; i < plan.targets.size(); ++i) {
    survey.findings.push_back(judge(plan.targets[i], survey.reports[i], request.expected));
    if (i < request.known.size() && request.known[i]) {
      judge_drift(survey.reports[i], *request.known[i], plan.drift, survey.findings[i]);
    }
  }
  return survey;
}

std::set<std::size_t> put_off_later_waves(const RolloutPlan& plan, std::size_t wave,
                                          HostSurvey& survey) {
  std::set<std::size_t> put_off;
  for (std::size_t later = wave + 1; later < plan.waves.size(); ++later) {
    const RolloutWave& of = plan.waves[later];
    for (std::size_t i = of.first; i < of.first + of.count; ++i) {
      HostFindings& findings = survey.findings[i];
      if (findings.refusals.empty() && !findings.unreachable) continue;
      std::vector<std::string> sentences = std::move(findings.refusals);
      sentences.insert(sentences.end(), findings.warnings.begin(), findings.warnings.end());
      for (std::string& each : sentences) each += "; asked again before the wave " + of.name;
      findings = {{}, std::move(sentences), false};
      put_off.insert(i);
    }
  }
  return put_off;
}

void require_fit(const RolloutPlan& plan, const HostSurvey& survey) {
  std::vector<std::string> sentences;
  for (const auto& [sentence, names] : gathered(plan, survey, &HostFindings::refusals)) {
    sentences.push_back(names_text(names) + ": " + sentence);
  }
  for (const RolloutWave& wave : plan.waves) {
    std::vector<std::string> away;
    for (std::size_t i = wave.first; i < wave.first + wave.count; ++i) {
      if (survey.findings[i].unreachable) {
        away.push_back(plan.targets[i].name + ": " + survey.findings[i].warnings.front());
      }
    }
    if (away.size() <= wave.max_unreachable) continue;
    sentences.insert(sentences.end(), away.begin(), away.end());
  }
  if (sentences.empty()) return;
  throw Error(sentences.front() + "; nothing was started", ExitCode::refused,
              all_but_first_of(sentences));
}

Lines host_survey_lines(const RolloutPlan& plan, const HostSurvey& survey, const ViewStyle& style) {
  Lines lines;
  const Ink ink(style);
  const auto add = [&](const std::string& mark, std::vector<std::string> HostFindings::*sentences) {
    for (const auto& [sentence, names] : gathered(plan, survey, sentences)) {
      const Lines more = wrap(names_text(names) + ": " + sentence, style.width, indent + mark + " ",
                              indent + indent);
      lines.insert(lines.end(), more.begin(), more.end());
    }
  };
  add(ink.red(ink.bad), &HostFindings::refusals);
  add(ink.yellow("warning:"), &HostFindings::warnings);
  std::int64_t asked = 0;
  bool any_elsewhere = false;
  for (std::size_t i = 0; i < plan.targets.size(); ++i) {
    if (!survey.reports[i].asked) continue;
    ++asked;
    any_elsewhere = any_elsewhere || !plan.targets[i].host.empty();
  }
  if (lines.empty() && !any_elsewhere) return lines;
  lines.insert(lines.begin(),
               count_of(asked, "environment") + " asked" + (lines.empty() ? ": all is well" : ":"));
  return lines;
}

}  // namespace drydock
