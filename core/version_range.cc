#include "version_range.h"

#include <algorithm>
#include <array>

#include "text.h"

namespace drydock {
namespace {

// Takes the part before the next '.', which goes as well.
std::string_view take_part(std::string_view& version) {
  const std::size_t end = std::min(version.find('.'), version.size());
  const std::string_view part = version.substr(0, end);
  version.remove_prefix(std::min(end + 1, version.size()));
  return part;
}

bool is_number(std::string_view part) { return std::all_of(part.begin(), part.end(), is_digit); }

int compare_parts(std::string_view left, std::string_view right) {
  if (!is_number(left) || !is_number(right)) {
    if (is_number(left) != is_number(right)) return is_number(left) ? -1 : 1;
    return left.compare(right);
  }
  left.remove_prefix(std::min(left.find_first_not_of('0'), left.size()));
  right.remove_prefix(std::min(right.find_first_not_of('0'), right.size()));
  // Without zeros before it, the longer of two numbers is the larger one.
  if (left.size() != right.size()) return left.size() < right.size() ? -1 : 1;
  return left.compare(right);
}

int compare_dotted(std::string_view left, std::string_view right) {
  while (!left.empty() || !right.empty()) {
    const int compared = compare_parts(take_part(left), take_part(right));
    if (compared != 0) return compared;
  }
  return 0;
}

bool is_version(std::string_view text) {
  return !text.empty() && is_digit(text[0]) && text.find_first_of("<>=") == std::string_view::npos;
}

}  // namespace

int compare_versions(std::string_view left, std::string_view right) {
  // What follows '+' names a build and says nothing of the order.
  left = left.substr(0, left.find('+'));
  right = right.substr(0, right.find('+'));
  const std::size_t left_end = std::min(left.find('-'), left.size());
  const std::size_t right_end = std::min(right.find('-'), right.size());
  const int released = compare_dotted(left.substr(0, left_end), right.substr(0, right_end));
  if (released != 0) return released;
  const std::string_view left_early = left.substr(left_end), right_early = right.substr(right_end);
  if (left_early.empty() || right_early.empty()) {
    return static_cast<int>(left_early.empty()) - static_cast<int>(right_early.empty());
  }
  return compare_dotted(left_early.substr(1), right_early.substr(1));
}

std::optional<VersionRange> VersionRange::parse(const std::string& text) {
  VersionRange range;
  constexpr const char* separators = " ,";
  for (std::size_t at = text.find_first_not_of(separators); at < text.size();
       at = text.find_first_not_of(separators, at)) {
    const std::size_t end = std::min(text.find_first_of(separators, at), text.size());
    const std::string word = text.substr(at, end - at);
    at = end;
    const std::size_t version = word.find_first_not_of("<>=");
    const std::string relation = word.substr(0, version);
    constexpr std::array<std::string_view, 6> relations = {"", "=", ">=", ">", "<=", "<"};
    if (version == std::string::npos || !is_version(word.substr(version)) ||
        std::find(relations.begin(), relations.end(), relation) == relations.end()) {
      return std::nullopt;
    }
    range.bounds_.push_back({relation, word.substr(version)});
  }
  // A version alone is one: "1.0 2.0" is a slip.
  const bool has_exact = std::any_of(range.bounds_.begin(), range.bounds_.end(),
                                     [](const Bound& bound) { return bound.relation.empty(); });
  if (range.bounds_.empty() || (has_exact && range.bounds_.size() > 1)) return std::nullopt;
  return range;
}

bool VersionRange::contains(const std::string& version) const {
  return std::all_of(bounds_.begin(), bounds_.end(), [&](const Bound& bound) {
    if (bound.relation.empty()) return version == bound.version;
    const int compared = compare_versions(version, bound.version);
    if (bound.relation == "=") return compared == 0;
    if (bound.relation == ">=") return compared >= 0;
    if (bound.relation == ">") return compared > 0;
    if (bound.relation == "<=") return compared <= 0;
    return compared < 0;
  });
}

}  // namespace drydock
