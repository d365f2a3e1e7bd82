// The stage, which is C, on the fake host.
#include <sys/stat.h>

#include <drydock/testing.hpp>

using drydock::testing::FakeHost;

namespace {

const drydock_stage& stage = *drydock_plugin_v1()->stages[0];

// A deployment with a page, and a stage that is to put it up or take it down.
struct World : FakeHost {
  explicit World(const char* state) {
    write("maintenance/page.html", "back soon\n");
    write("html/index.html", "the application\n");
    option("/page", "maintenance/page.html");
    option("/shown", "html/maintenance.html");
    option("/state", state);
  }
  drydock::testing::StepResult perform(const std::string& step) {
    return FakeHost::perform(stage, step);
  }
  std::string shown() const {
    return exists("html/maintenance.html") ? read("html/maintenance.html") : "absent";
  }
  std::string fact() {
    perform("observe");
    return facts["html/maintenance.html"].value;
  }
};

void on_puts_the_page_up() {
  World world("on");
  DRYDOCK_EXPECT(world.perform("plan").ok());
  DRYDOCK_EXPECT(world.changes.size() == 1 && world.changes[0].action == "add");
  DRYDOCK_EXPECT(world.inputs == std::vector<std::string>{"maintenance/page.html"});
  DRYDOCK_EXPECT(world.shown() == "absent");
  DRYDOCK_EXPECT(!world.perform("verify").ok());
  DRYDOCK_EXPECT(world.perform("run").ok());
  DRYDOCK_EXPECT(world.shown() == "back soon\n");
  DRYDOCK_EXPECT(world.perform("verify").ok());
  struct stat status {};
  DRYDOCK_EXPECT(::stat((world.deployment_dir() + "/html/maintenance.html").c_str(), &status) == 0);
  DRYDOCK_EXPECT((status.st_mode & 0777) == 0644);  // the web server is another user
}

void the_page_stays_up_until_everything_is_put_back() {
  World world("on");
  const std::string before = world.fact();
  DRYDOCK_EXPECT(world.perform("run").ok());
  DRYDOCK_EXPECT(world.fact() != before);
  DRYDOCK_EXPECT(world.perform("rollback").ok());
  DRYDOCK_EXPECT(world.shown() == "back soon\n");
  DRYDOCK_EXPECT(world.perform("settle").ok());
  DRYDOCK_EXPECT(world.fact() == before);
}

void a_page_that_was_up_before_comes_back() {
  World world("on");
  world.write("html/maintenance.html", "closed for ever\n");
  DRYDOCK_EXPECT(world.perform("run").ok());
  DRYDOCK_EXPECT(world.perform("run").ok());  // repeated, it must not keep its own page
  DRYDOCK_EXPECT(world.perform("settle").ok());
  DRYDOCK_EXPECT(world.shown() == "closed for ever\n");
}

void off_takes_it_down_and_a_rollback_puts_it_up_at_once() {
  World world("off");
  world.write("html/maintenance.html", "back soon\n");
  DRYDOCK_EXPECT(world.perform("plan").ok());
  DRYDOCK_EXPECT(world.changes.size() == 1 && world.changes[0].action == "remove");
  DRYDOCK_EXPECT(world.perform("run").ok());
  DRYDOCK_EXPECT(world.shown() == "absent");
  DRYDOCK_EXPECT(world.perform("verify").ok());
  DRYDOCK_EXPECT(world.perform("rollback").ok());
  DRYDOCK_EXPECT(world.shown() == "back soon\n");
}

void killed_at_any_note_it_comes_back() {
  for (const char* state : {"on", "off"}) {
    for (int note = 1; note <= 2; ++note) {
      for (const bool durable : {false, true}) {
        World world(state);
        world.write("html/maintenance.html", "closed\n");
        const std::string before = world.fact();
        durable ? world.die_at_remember(note) : world.die_before_remember(note);
        DRYDOCK_EXPECT(world.perform("run").died);
        DRYDOCK_EXPECT(world.perform("rollback").ok());
        DRYDOCK_EXPECT(world.perform("settle").ok());
        DRYDOCK_EXPECT(world.fact() == before);
        DRYDOCK_EXPECT(world.perform("run").ok());  // and a repeated run does its work
        DRYDOCK_EXPECT(world.perform("verify").ok());
        DRYDOCK_EXPECT(world.violations.empty());
      }
    }
  }
}

void nothing_is_planned_when_it_is_so_already() {
  World world("on");
  world.write("html/maintenance.html", "back soon\n");
  DRYDOCK_EXPECT(world.perform("plan").ok());
  DRYDOCK_EXPECT(world.changes.empty());
}

void what_cannot_be_is_refused_with_a_reason() {
  World missing("on");
  missing.option("/page", "maintenance/none.html");
  const auto refused = missing.perform("plan");
  DRYDOCK_EXPECT(refused.status == DRYDOCK_BAD_OPTIONS);
  DRYDOCK_EXPECT(
      refused.failure ==
      "with.page: there is no file maintenance/none.html; write the page that visitors are to see");

  World same("on");
  same.option("/page", "html/maintenance.html");
  DRYDOCK_EXPECT(
      same.perform("plan").failure ==
      "with.page and with.shown are both html/maintenance.html: the page must lie elsewhere");

  World folder("on");
  folder.option("/shown", "no/such/folder.html");
  DRYDOCK_EXPECT(
      folder.perform("run").failure ==
      "maintenance/page.html cannot be copied to no/such/folder.html (No such file or directory)");

  World large("on");
  large.write("maintenance/page.html", std::string(2 << 20, 'x'));
  DRYDOCK_EXPECT(large.perform("run").status == DRYDOCK_FAILED);
  DRYDOCK_EXPECT(large.shown() == "absent");

  World no_path("on");
  no_path.option("/page", std::string("a\0b", 3));
  DRYDOCK_EXPECT(no_path.perform("plan").status == DRYDOCK_BAD_OPTIONS);
}

}  // namespace

int main() {
  on_puts_the_page_up();
  the_page_stays_up_until_everything_is_put_back();
  a_page_that_was_up_before_comes_back();
  off_takes_it_down_and_a_rollback_puts_it_up_at_once();
  killed_at_any_note_it_comes_back();
  nothing_is_planned_when_it_is_so_already();
  what_cannot_be_is_refused_with_a_reason();
  return drydock::testing::report();
}
