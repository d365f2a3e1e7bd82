// The fake host is C++. The stage beside it is compiled as C.
#include <drydock/testing.hpp>

using drydock::testing::FakeHost;

static const drydock_stage& stage = *drydock_plugin_v1()->stages[0];
static const char* const file = "@name@.txt";

static void adds_the_file_and_takes_it_away_again() {
  FakeHost host;  // with a deployment of its own
  host.option("/line", "good morning");
  DRYDOCK_EXPECT(host.perform(stage, "plan").ok());
  DRYDOCK_EXPECT(host.changes.size() == 1 && host.changes[0].name == file);
  DRYDOCK_EXPECT(!host.exists(file));  // a plan changes nothing

  DRYDOCK_EXPECT(host.perform(stage, "run").ok());
  DRYDOCK_EXPECT(host.read(file) == "good morning\n");
  DRYDOCK_EXPECT(host.perform(stage, "verify").ok());
  DRYDOCK_EXPECT(host.perform(stage, "rollback").ok());
  DRYDOCK_EXPECT(!host.exists(file));
}

static void a_killed_run_is_undone_and_repeated() {
  FakeHost host;
  host.option("/line", "hello");
  host.die_at_remember(1);  // the worker is killed once the first note is on disk
  DRYDOCK_EXPECT(host.perform(stage, "run").died);
  DRYDOCK_EXPECT(host.perform(stage, "rollback").ok());
  DRYDOCK_EXPECT(host.perform(stage, "run").ok());
  DRYDOCK_EXPECT(host.read(file) == "hello\n");
  DRYDOCK_EXPECT(host.violations.empty());
}

static void a_file_of_somebody_else_stays() {
  FakeHost host;
  host.option("/line", "hello");
  host.write(file, "mine\n");
  DRYDOCK_EXPECT(host.perform(stage, "run").ok());
  DRYDOCK_EXPECT(host.perform(stage, "rollback").ok());
  DRYDOCK_EXPECT(host.read(file) == "mine\n");
}

int main() {
  adds_the_file_and_takes_it_away_again();
  a_killed_run_is_undone_and_repeated();
  a_file_of_somebody_else_stays();
  return drydock::testing::report();
}
