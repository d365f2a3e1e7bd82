// What the files of RolloutStore share: values on their way into a row and out of it, and how a
// database that went away is asked again.
#pragma once

#include <stdexcept>
#include <string>

#include "error.h"
#include "rollout_store.h"

namespace drydock {

inline std::string as_text(std::int64_t number) { return std::to_string(number); }
inline std::string as_text(bool flag) { return flag ? "1" : "0"; }

// The columns of a row, from the first on.
class Fields {
 public:
  explicit Fields(const RolloutDatabase::Row& row) : row_(row) {}
  const std::string& text() { return row_.at(at_++); }
  std::int64_t number() { return std::stoll(text()); }
  int small() { return static_cast<int>(number()); }
  std::uint64_t count() { return static_cast<std::uint64_t>(number()); }
  bool flag() { return number() != 0; }
  nlohmann::json document() { return nlohmann::json::parse(text()); }

 private:
  const RolloutDatabase::Row& row_;
  std::size_t at_ = 0;
};

// Whatever is written may be written twice, so that a server which went away can be asked again.
template <class Work>
auto RolloutStore::persist(const char* what, Work work) const {
  const auto fail = [&](const std::string& why) {
    return Error("the database of rollouts " + database_->name() + " failed to " + what + " (" +
                 why + "); check " + (is_shared() ? "the server" : "its disk and who owns it"));
  };
  for (bool connected = true, was_away = false;;) {
    try {
      if (!connected) database_->reconnect();
      connected = true;
      auto result = work();
      if (was_away && answers_) answers_();
      return result;
    } catch (const DatabaseFailure& e) {
      if (!e.gone()) throw fail(e.what());
      connected = false;
      was_away = true;
      if (!again_ || !again_(e.what())) throw fail(e.what());
    } catch (const nlohmann::json::exception& e) {
      throw fail(e.what());
    } catch (const std::logic_error& e) {  // of a number or a column that is missing
      throw fail(e.what());
    }
  }
}

}  // namespace drydock
