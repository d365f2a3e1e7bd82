#include "view_plan.h"

#include <gtest/gtest.h>

#include "view_samples.h"

namespace drydock {
namespace {

Event plan_finished(int changes, std::int64_t disk_bytes, std::vector<std::string> loses = {}) {
  return event_at(0, "plan.finished",
                  {{"changes", changes},
                   {"disk_bytes", disk_bytes},
                   {"unknown_stages", nlohmann::json::array()},
                   {"loses", std::move(loses)}});
}

TEST(PlanReport, ItsFirstLinesNameWhatIsPlannedAndWhere) {
  PlanReport report;
  report.add(plan_started());
  EXPECT_EQ(joined(report.header(ViewStyle{})),
            "Plan of sample (drydock.yaml) for /srv/sample: project sample, compose.yaml,\n"
            "  engine Docker 20.10.24\n"
            "  with to=2, workers=4\n");
}

TEST(PlanReport, SaysWhatItDidNotFind) {
  PlanReport report;
  report.add(event_at(0, "plan.started",
                      {{"pipeline", "exec"},
                       {"pipeline_file", ""},
                       {"deployment", "/srv/sample"},
                       {"project", ""},
                       {"compose_files", nlohmann::json::array()},
                       {"engine", ""},
                       {"vars", nlohmann::json::object()}}));
  EXPECT_EQ(joined(report.header(ViewStyle{})),
            "Plan of exec for /srv/sample: no Compose project, no compose files, no engine\n"
            "  reached\n");
}

TEST(PlanReport, GroupsTheChangesOfAllStagesOnOneScreen) {
  PlanReport report;
  report.add(plan_started());
  report.add(planned(
      "source", {change("file", "change", "compose.yaml"), change("file", "change", ".env.example"),
                 change("file", "add", "nginx.conf")}));
  std::vector<nlohmann::json> variables = {
      change("variable", "add", "API_WORKERS", "", "4"),
      change("variable", "change", "VERSION", "1", "2", "the release's"),
      change("variable", "keep", "LOG_LEVEL", "DEBUG", "", "yours")};
  for (int i = 0; i < 700; ++i) variables.push_back(change("variable", "keep", "V"));
  report.add(planned("env-sync", variables));
  report.add(planned("pull", {change("image", "pull", "api", "sample/api:1", "sample/api:2")}));
  report.add(planned("up", {change("service", "start", "web"), change("service", "start", "api"),
                            change("service", "retire", "db", "", "", "left the model")}));
  report.add(planned("warm-up", {change("command", "run", "./warm-up")}, false));
  report.add(planned("check", {change("request", "check", "http://127.0.0.1/")}, false));
  report.add(planned("migrate", {}, true, "unknown", "after pull"));
  report.add(planned("smoke", {}, true, "skipped", "vars.smoke is false"));
  report.add(plan_finished(10, 106'000'000, {"rows written after the services start again"}));
  EXPECT_EQ(joined(report.body(ViewStyle{})), R"(
Images: 1 to pull
  pull  api  sample/api:1 → sample/api:2

Environment: 1 to change, 1 to add, 701 to keep
  change  VERSION      1 → 2 (the release's)
  add     API_WORKERS  4
  keep    LOG_LEVEL    DEBUG (yours)

Files: 2 to change, 1 to add
  change  compose.yaml, .env.example
  add     nginx.conf

Services: 1 to retire, 2 to start
  retire  db  (left the model)
  start   web, api

Commands: 1 to run
  run  ./warm-up

Requests: 1 to check
  check  http://127.0.0.1/

Known only later: migrate (after pull).
Skipped: smoke (vars.smoke is false).
Disk needed: 106 MB.
Without a rollback (what they do stays done): warm-up.
A rollback would lose:
  - rows written after the services start again
)");
}

TEST(PlanReport, NamesTheStagesThatRunAtOnce) {
  PlanReport report;
  report.add(plan_started());
  for (const auto& [stage, block] : {std::pair("a", 1), {"b", 1}, {"c", 2}, {"d", 0}}) {
    Event event = planned(stage, {});
    if (block != 0) event.data["parallel"] = block;
    report.add(event);
  }
  const std::string text = joined(report.body(ViewStyle{}));
  EXPECT_NE(text.find("At once: a, b.\nAt once: c.\n"), std::string::npos) << text;
}

TEST(PlanReport, ListsTheFirstOfManyChangesAndCountsTheRest) {
  PlanReport report;
  std::vector<nlohmann::json> variables;
  for (int i = 0; i < 200; ++i) {
    variables.push_back(change("variable", "add", "V" + std::to_string(i), "", "1"));
  }
  report.add(planned("env-sync", variables));
  report.add(plan_finished(200, 0));
  ViewStyle style;
  style.utf8 = false;
  const std::string screen = joined(report.body(style));
  EXPECT_NE(screen.find("Environment: 200 to add\n  add  V0   1\n"), std::string::npos) << screen;
  EXPECT_NE(screen.find("  add  V15  1\n  ... and 184 more (--all lists them)\n"),
            std::string::npos)
      << screen;
  for (bool ViewStyle::*shows_all : {&ViewStyle::verbose, &ViewStyle::all}) {
    ViewStyle whole = style;
    whole.*shows_all = true;
    EXPECT_NE(joined(report.body(whole)).find("  add  V199  1\n"), std::string::npos);
  }
}

TEST(PlanReport, ShowsTheFirstOfEachActionAndJoinsWhatHasOneReason) {
  PlanReport report;
  std::vector<nlohmann::json> variables;
  for (int i = 0; i < 30; ++i) {
    const std::string n = std::to_string(i);
    variables.push_back(change("variable", "change", "C" + n, "1", "2", "because of " + n));
    variables.push_back(change("variable", "add", "A" + n, "", "1", "new in the template"));
    variables.push_back(change("variable", "keep", "K" + n, "1", "1", "a reason of its own " + n));
  }
  report.add(planned("env-sync", variables));
  report.add(plan_finished(60, 0));
  ViewStyle style;
  style.utf8 = false;
  const std::string screen = joined(report.body(style));
  EXPECT_NE(screen.find("  change  C11  1 -> 2 (because of 11)\n"
                        "  add     A0, A1, A2 and 27 more  (new in the template)\n"
                        "  keep    K0   1 (a reason of its own 0)\n"),
            std::string::npos)
      << screen;
  EXPECT_NE(screen.find("  keep    K2 "), std::string::npos) << screen;
  EXPECT_EQ(screen.find("  keep    K3 "), std::string::npos) << screen;
  EXPECT_NE(screen.find("  ... and 45 more (--all lists them)\n"), std::string::npos) << screen;
  style.all = true;
  EXPECT_NE(joined(report.body(style)).find("  add     A29  1 (new in the template)\n"),
            std::string::npos);
}

TEST(PlanReport, ForeignTextCannotSteerTheTerminal) {
  PlanReport report;
  report.add(planned("env-sync", {change("variable", "add", "A", "", "\x1b[2Jgone\n2")}));
  report.add(plan_finished(1, -1));
  const std::string screen = joined(report.body(ViewStyle{}));
  EXPECT_NE(screen.find("  add  A  \\x1b[2Jgone 2\n"), std::string::npos) << screen;
  EXPECT_NE(screen.find("Disk needed: not known yet.\n"), std::string::npos) << screen;
}

TEST(PlanReport, SaysThatNothingWouldChange) {
  PlanReport report;
  report.add(planned("env-sync", {change("variable", "keep", "A")}));
  report.add(plan_finished(0, 0));
  EXPECT_EQ(joined(report.body(ViewStyle{})),
            "\nEnvironment: 1 to keep\n\nNothing would change.\nDisk needed: none.\n"
            "A rollback would lose nothing.\n");
}

}  // namespace
}  // namespace drydock
