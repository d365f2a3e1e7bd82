// Which versions of a plugin a pipeline accepts: "1.2.3", or bounds such as ">=1.2 <2".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drydock {

// By their numbers, part by part, a part that is missing being 0; "1.2-rc1" comes before "1.2".
// Negative, 0 or positive. What is no number is compared as text, and comes after numbers.
int compare_versions(std::string_view left, std::string_view right);

class VersionRange {
 public:
  // Bounds that must all hold, separated by blanks or commas: each one of = >= > <= < and a
  // version; a version alone is that very text. nullopt: it is none of these.
  static std::optional<VersionRange> parse(const std::string& text);
  bool contains(const std::string& version) const;

 private:
  struct Bound {
    std::string relation, version;
  };
  std::vector<Bound> bounds_;
};

}  // namespace drydock
