// drydock/testing_expect.hpp: the little that a unit test needs beside the fake host of testing.hpp,
// which includes this, where there is no test framework at hand.
//
//   int main() {
//     drydock::testing::FakeHost host;
//     DRYDOCK_EXPECT(host.perform<Greet>("run").ok());
//     return drydock::testing::report();
//   }
#pragma once

#include <cstdio>

namespace drydock::testing {

struct Tally {
  int expected = 0;
  int failed = 0;
};

inline Tally& tally() {
  static Tally counted;
  return counted;
}

// Says where and what, and goes on.
inline void expect(bool holds, const char* condition, const char* file, int line) {
  ++tally().expected;
  if (holds) return;
  ++tally().failed;
  std::fprintf(stderr, "%s:%d: this does not hold: %s\n", file, line, condition);
}

// What main returns. A test that expects nothing fails.
inline int report() {
  std::printf("%d of %d expectations hold\n", tally().expected - tally().failed, tally().expected);
  return tally().failed == 0 && tally().expected != 0 ? 0 : 1;
}

}  // namespace drydock::testing

#define DRYDOCK_EXPECT(...) \
  ::drydock::testing::expect(static_cast<bool>(__VA_ARGS__), #__VA_ARGS__, __FILE__, __LINE__)
