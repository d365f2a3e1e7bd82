#include "@name@.cc"

#include <drydock/testing.hpp>

using drydock::testing::FakeHost;

static void adds_the_file_and_takes_it_away_again() {
  FakeHost host;  // with a deployment of its own
  host.option("/line", "good morning");
  DRYDOCK_EXPECT(host.perform<@Type@>("plan").ok());
  DRYDOCK_EXPECT(host.changes.size() == 1 && host.changes[0].name == @Type@::file);
  DRYDOCK_EXPECT(!host.exists(@Type@::file));  // a plan changes nothing

  DRYDOCK_EXPECT(host.perform<@Type@>("run").ok());
  DRYDOCK_EXPECT(host.read(@Type@::file) == "good morning\n");
  DRYDOCK_EXPECT(host.perform<@Type@>("verify").ok());
  DRYDOCK_EXPECT(host.perform<@Type@>("rollback").ok());
  DRYDOCK_EXPECT(!host.exists(@Type@::file));
}

static void a_killed_run_is_undone_and_repeated() {
  FakeHost host;
  host.option("/line", "hello");
  host.die_at_remember(1);  // the worker is killed once the first note is on disk
  DRYDOCK_EXPECT(host.perform<@Type@>("run").died);
  DRYDOCK_EXPECT(host.perform<@Type@>("rollback").ok());
  DRYDOCK_EXPECT(host.perform<@Type@>("run").ok());
  DRYDOCK_EXPECT(host.read(@Type@::file) == "hello\n");
  DRYDOCK_EXPECT(host.violations.empty());
}

static void a_file_of_somebody_else_stays() {
  FakeHost host;
  host.write(@Type@::file, "mine\n");
  DRYDOCK_EXPECT(host.perform<@Type@>("run").ok());
  DRYDOCK_EXPECT(host.perform<@Type@>("rollback").ok());
  DRYDOCK_EXPECT(host.read(@Type@::file) == "mine\n");
}

int main() {
  adds_the_file_and_takes_it_away_again();
  a_killed_run_is_undone_and_repeated();
  a_file_of_somebody_else_stays();
  return drydock::testing::report();
}
