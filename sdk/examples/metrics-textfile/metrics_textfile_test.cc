#include "metrics_textfile.h"

#include <drydock/testing.hpp>

using drydock::testing::FakeHost;
using drydock::testing::Option;

namespace {

struct World : FakeHost {
  explicit World(const char* status = "done") {
    write("metrics/other.prom", "other 1\n");
    option("/status", status);
    option("/directory", "metrics");
    option("/file", "drydock.prom");
    run_id = 7;
  }
  std::string perform(const std::string& step) {
    return FakeHost::perform<MetricsTextfile>(step).failure;
  }
  std::string written() const { return read("metrics/drydock.prom"); }
  std::optional<double> sample(const char* name) const { return sample_of(written(), name); }
};

void a_run_that_went_well_is_told() {
  World world;
  world.option("/labels/app", "shop");
  DRYDOCK_EXPECT(world.perform("plan").empty());
  DRYDOCK_EXPECT(!world.exists("metrics/drydock.prom"));
  DRYDOCK_EXPECT(world.changes.size() == 1);
  DRYDOCK_EXPECT(world.perform("run").empty());
  DRYDOCK_EXPECT(world.perform("verify").empty());
  DRYDOCK_EXPECT(world.sample("drydock_run_id") == 7);
  DRYDOCK_EXPECT(world.sample("drydock_run_success") == 1);
  DRYDOCK_EXPECT(world.sample("drydock_run_end_timestamp_seconds") ==
                 world.sample("drydock_run_last_success_timestamp_seconds"));
  DRYDOCK_EXPECT(world.written().find("\ndrydock_run_info{app=\"shop\",status=\"done\"} 1\n") !=
                 std::string::npos);
}

void the_last_success_outlives_failures() {
  World world("rolled back");
  world.write("metrics/drydock.prom",
              "drydock_run_last_success_timestamp_seconds{app=\"a b\"} 1700000000\n");
  DRYDOCK_EXPECT(world.perform("run").empty());
  DRYDOCK_EXPECT(world.sample("drydock_run_success") == 0);
  DRYDOCK_EXPECT(world.sample("drydock_run_last_success_timestamp_seconds") == 1700000000);
  DRYDOCK_EXPECT(world.perform("run").empty());  // and once more
  DRYDOCK_EXPECT(world.sample("drydock_run_last_success_timestamp_seconds") == 1700000000);
}

void another_user_may_read_it_and_nothing_is_left_beside_it() {
  World world;
  DRYDOCK_EXPECT(world.perform("run").empty());
  const std::filesystem::path folder = world.deployment_dir() + "/metrics";
  DRYDOCK_EXPECT((std::filesystem::status(folder / "drydock.prom").permissions() &
                  std::filesystem::perms::others_read) != std::filesystem::perms::none);
  DRYDOCK_EXPECT(std::distance(std::filesystem::directory_iterator(folder), {}) == 2);
}

void further_gauges_are_numbers_with_names() {
  World world;
  world.option("/gauges/shop:orders", Option(2.5));
  world.option("/gauges/shop_images", "12");
  DRYDOCK_EXPECT(world.perform("run").empty());
  DRYDOCK_EXPECT(world.sample("shop:orders") == 2.5);
  DRYDOCK_EXPECT(world.sample("shop_images") == 12);

  World no_number;
  no_number.option("/gauges/orders", "many");
  DRYDOCK_EXPECT(no_number.perform("plan") ==
                 "with.gauges.orders: found 'many', allowed: a number");
  World no_name;
  no_name.option("/gauges/2nd", "1");
  DRYDOCK_EXPECT(no_name.perform("plan") ==
                 "with.gauges: found '2nd', allowed: letters, digits, '_' and ':', no digit first");
  World no_label;
  no_label.option("/labels/a-b", "1");
  DRYDOCK_EXPECT(no_label.perform("plan") ==
                 "with.labels: found 'a-b', allowed: letters, digits and '_', no digit first");
}

void a_missing_folder_is_refused_before_the_run() {
  World world;
  world.option("/directory", "elsewhere");
  DRYDOCK_EXPECT(world.perform("plan").find("with.directory: there is no folder ") == 0);
  DRYDOCK_EXPECT(world.perform("run").find("cannot be written (No such file or directory)") !=
                 std::string::npos);
}

void verify_sees_what_somebody_else_wrote() {
  World world;
  DRYDOCK_EXPECT(world.perform("run").empty());
  world.write("metrics/drydock.prom", "drydock_run_id 8\n");
  DRYDOCK_EXPECT(world.perform("verify").find("does not tell of run 7") != std::string::npos);
}

// What a reader of the format sees must be what was written.
void values_of_labels_are_escaped() {
  DRYDOCK_EXPECT(escaped("a\\b\"c\nd") == "a\\\\b\\\"c\\nd");
  DRYDOCK_EXPECT(gauge("g", "help.", {{"x", "}\" 5"}}, 1) ==
                 "# HELP g help.\n# TYPE g gauge\ng{x=\"}\\\" 5\"} 1\n");
  DRYDOCK_EXPECT(sample_of(gauge("g", "help.", {{"x", "} 5"}}, 0.25), "g") == 0.25);
  DRYDOCK_EXPECT(sample_of("gg 1\n# g 2\ng 3", "g") == 3);
  DRYDOCK_EXPECT(!sample_of("g\ng x\n", "g"));
  DRYDOCK_EXPECT(gauge("g", "h", {}, 1789000000).find("\ng 1789000000\n") != std::string::npos);
}

}  // namespace

int main() {
  a_run_that_went_well_is_told();
  the_last_success_outlives_failures();
  another_user_may_read_it_and_nothing_is_left_beside_it();
  further_gauges_are_numbers_with_names();
  a_missing_folder_is_refused_before_the_run();
  verify_sees_what_somebody_else_wrote();
  values_of_labels_are_escaped();
  return drydock::testing::report();
}
