#include "rollout_database.h"

namespace drydock {

std::vector<RolloutDatabase::Row> RolloutDatabase::run(const std::string& sql, const Values& values,
                                                       std::size_t columns) {
  std::string numbered;
  std::size_t next = 0;
  for (const char c : sql) {
    if (c == '?') {
      numbered += ":p" + std::to_string(++next);
    } else {
      numbered += c;
    }
  }
  return perform(numbered, values, columns);
}

void RolloutDatabase::roll_back() noexcept {
  try {
    run("ROLLBACK");
  } catch (const std::exception&) {
    // There is none to end, or no connection in which it was begun.
  }
}

}  // namespace drydock
