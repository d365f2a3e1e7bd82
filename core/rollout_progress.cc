#include "rollout_progress.h"

#include <algorithm>

#include "text.h"

namespace drydock {
namespace {

using std::chrono::milliseconds;

// As often as the progress of a stage is said and drawn.
constexpr Instant said_every = 10'000, drawn_every = 500;
constexpr Instant drawn_after = 1'000;
constexpr milliseconds nothing_due(60'000);

}  // namespace

SurveyProgress::SurveyProgress(std::ostream* out, const ViewStyle& style)
    : style_(style), ink_(style) {
  if (out != nullptr) picture_.emplace(*out, style);
}

void SurveyProgress::begin(const std::string& done, std::size_t total, Instant now) {
  done_ = done;
  total_ = total;
  answered_ = 0;
  waits_for_.clear();
  begun_ = now;
  due_ = now + (style_.terminal ? drawn_after : said_every);
}

void SurveyProgress::asks(const std::string& name) { waits_for_.push_back(name); }

void SurveyProgress::answered(const std::string& name) {
  ++answered_;
  std::erase(waits_for_, name);
}

std::string SurveyProgress::text(Instant now) const {
  constexpr std::size_t most_named = 3;
  const Instant seconds = (now - begun_) / 1000;
  std::string text = std::to_string(answered_) + " of " +
                     count_of(static_cast<std::int64_t>(total_), "environment") + " " + done_ +
                     " in " + format_duration(std::chrono::seconds(seconds));
  if (waits_for_.empty()) return text;
  const std::size_t named = std::min(most_named, waits_for_.size());
  const std::vector<std::string> first(waits_for_.begin(),
                                       waits_for_.begin() + static_cast<std::ptrdiff_t>(named));
  text += "; waiting for " + join(first, ", ");
  const std::size_t more = waits_for_.size() - named;
  return more == 0 ? text : text + " and " + std::to_string(more) + " more";
}

milliseconds SurveyProgress::show(Instant now) {
  if (!picture_) return nothing_due;
  if (now < due_) return milliseconds(due_ - now);
  if (style_.terminal) {
    const auto tick = static_cast<std::size_t>(now / drawn_every) % ink_.spinner.size();
    const auto room = static_cast<std::size_t>(std::max(style_.width - 1, 20));
    picture_->draw({indent + ink_.spinner[tick] + " " + shorten(text(now), room - 4)});
  } else {
    picture_->say(wrap(text(now), style_.width, indent, indent + indent));
  }
  const Instant every = style_.terminal ? drawn_every : said_every;
  due_ = now + every;
  return milliseconds(every);
}

void SurveyProgress::end() {
  if (picture_) picture_->clear();
}

}  // namespace drydock
