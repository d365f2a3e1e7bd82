// What a rehearsal has measured, for the plans that come after it: in the deployment's state, by
// database and by the revisions from which and to which it went.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "drydock/stage.hpp"

namespace drydock::alembic {

struct Rehearsal {
  std::string database, from, to;
  std::string day;  // UTC, "2026-11-26"
  double seconds = 0;
  std::int64_t bytes = 0;  // of the database
};

std::string today();
// Over an earlier one of the same revisions.
void keep_rehearsal(const Call&, const Rehearsal&);
// nullopt: there was none. One that cannot be read counts as none.
std::optional<Rehearsal> find_rehearsal(const Call&, const std::string& database,
                                        const std::string& from, const std::string& to);

// "rehearsed 2026-11-26 in 42 s on 1.2 GiB"
std::string describe(const Rehearsal&);
// "1.4 s", "42 s", "3 min 20 s"
std::string shown_seconds(double seconds);

}  // namespace drydock::alembic
