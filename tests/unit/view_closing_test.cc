#include "view_closing.h"

#include <gtest/gtest.h>

#include "view_samples.h"

namespace drydock {
namespace {

std::string closing(nlohmann::json data, const std::vector<Event>& before = {run_started()}) {
  ClosingReport report;
  for (const Event& event : before) report.add(event);
  report.add(event_at(60, "run.finished", std::move(data)));
  return joined(report.lines(ViewStyle{}));
}

std::string headline(const nlohmann::json& data,
                     const std::vector<Event>& before = {run_started()}) {
  const std::string text = closing(data, before);
  return text.substr(0, text.find("\n\n"));
}

nlohmann::json service(const std::string& name, const std::string& state,
                       const std::string& health) {
  return {
      {"service", name}, {"image", "sample/" + name + ":1"}, {"state", state}, {"health", health}};
}

TEST(ClosingReport, AnswersEveryQuestionInOrder) {
  nlohmann::json data = finished("rolled_back", 1);
  data["failed_stage"] = "migrate";
  data["failed_step"] = "run";
  data["reason"] =
      "database app is at a1b2c3 and the head is d4e5f6; see the migration's own output";
  data["application"] = {service("api", "running", "healthy"), service("database", "running", "")};
  data["kept"] = {{{"path", "/srv/sample/.drydock/backups/7/backup/app.dump"},
                   {"description", "database app before the run"}}};
  EXPECT_EQ(closing(data), R"(Rolled back and verified: everything is as it was before run 7.

  failed:      stage migrate, step run: database app is at a1b2c3 and the head
               is d4e5f6; see the migration's own output
  application: serving: all 2 services run
               api       running, healthy  sample/api:1
               database  running           sample/database:1
  unreachable: not measured
  data lost:   none
  kept:        /srv/sample/.drydock/backups/7/backup/app.dump
                 database app before the run
  log:         /srv/sample/.drydock/logs/7
  now:         Nothing must be done tonight.
)");
}

TEST(ClosingReport, SaysWhatAPersonMustDo) {
  nlohmann::json data = finished("needs_person", 3);
  data["failed_stage"] = "up";
  data["application"] = {service("api", "exited", ""), service("web", "running", "unhealthy")};
  data["downtime"] = {{"unreachable_ms", 90'000},
                      {"longest_gap_ms", 60'000},
                      {"still_unreachable", true},
                      {"requests", 2000},
                      {"failed_requests", 893},
                      {"slow_requests", 2},
                      {"stages",
                       {{{"stage", "stop"}, {"step", "run"}, {"unreachable_ms", 1'200}},
                        {{"stage", "stop"}, {"step", "rollback"}, {"unreachable_ms", 49}},
                        {{"stage", "up"}, {"step", "rollback"}, {"unreachable_ms", 800}}}}};
  data["data_lost"] = "rows written since 10:04";
  data["differences"] = {"up: image of api was sample/api:1 and is sample/api:2"};
  data["next"] = {"drydock -C /srv/sample show 7", "drydock -C /srv/sample rollback 7"};
  data["otherwise"] = {"drydock -C /srv/sample backups verify 7 --stage backup",
                       "drydock -C /srv/sample backups restore 7 --stage backup"};
  EXPECT_EQ(closing(data), R"(NOT wholly put back: a person is needed.

  failed:      stage up
  application: NOT serving: none of its 2 services runs
               api  exited              sample/api:1
               web  running, unhealthy  sample/web:1
  unreachable: 1 min 30 s, longest gap 1 min 00 s, and it does NOT answer yet;
               893 of 2000 requests failed, 2 slow; in stop 1.2 s, rollback of
               up 0.8 s
  data lost:   rows written since 10:04
  differs:     up: image of api was sample/api:1 and is sample/api:2
  kept:        nothing
  log:         /srv/sample/.drydock/logs/7
  now:         Run these commands, in this order; each is safe to repeat:
                 drydock -C /srv/sample show 7
                 drydock -C /srv/sample rollback 7
               Should the rollback fail again, these put back its databases alone:
                 drydock -C /srv/sample backups verify 7 --stage backup
                 drydock -C /srv/sample backups restore 7 --stage backup
)");
}

TEST(ClosingReport, SaysThatItWasNeverUnreachable) {
  nlohmann::json data = finished("done", 0);
  data["downtime"] = {{"unreachable_ms", 0},
                      {"longest_gap_ms", 0},
                      {"still_unreachable", false},
                      {"requests", 61},
                      {"failed_requests", 0},
                      {"slow_requests", 0},
                      {"stages", nlohmann::json::array()}};
  EXPECT_NE(closing(data).find("  unreachable: never; 61 requests\n"), std::string::npos);
}

TEST(ClosingReport, EveryOutcomeHasItsOwnHeadline) {
  EXPECT_EQ(headline(finished("done", 0)), "Upgraded: run 7 of sample took 2 min 03 s.");
  EXPECT_EQ(headline(finished("done", 0), {run_started("")}),
            "Done: run 7 of sample took 2 min 03 s.");
  EXPECT_EQ(headline(finished("done", 0),
                     {run_started(), stage_finished(9, "warm-up", "continued", "exit code 3")}),
            "Upgraded, but 1 stage failed and was rolled back alone: run 7 of sample took 2\n"
            "min 03 s.");
  EXPECT_EQ(headline(finished("cancelled", 130)),
            "Cancelled, rolled back and verified: everything is as it was before run 7.");
  EXPECT_EQ(headline(finished("stopped", 3)),
            "Stopped where it failed, as the pipeline asks (on_failure: stop): a person is\n"
            "needed.");
  nlohmann::json partly = finished("rolled_back", 1);
  partly["not_undone"] = {"warm-up"};
  EXPECT_EQ(headline(partly),
            "Rolled back and verified: everything is as it was before run 7, but for what\n"
            "stage warm-up did.");
}

TEST(ClosingReport, NamesWhatFailedAndWasRolledBackAlone) {
  const std::string text =
      closing(finished("done", 0),
              {run_started(), stage_finished(9, "warm-up", "continued", "exit code 3")});
  EXPECT_NE(text.find("  failed:      stage warm-up (rolled back alone): exit code 3\n"),
            std::string::npos)
      << text;
}

TEST(ClosingReport, TellsPartlyServingFromNotKnown) {
  nlohmann::json data = finished("done", 0);
  EXPECT_NE(closing(data).find("  application: not known\n"), std::string::npos);
  data["application"] = {service("api", "running", "starting"), service("web", "running", "none")};
  EXPECT_NE(closing(data).find("  application: PARTLY serving: 1 of 2 services run\n"),
            std::string::npos);
  data["application"] = nlohmann::json::array();
  EXPECT_NE(closing(data).find("  application: NOT serving: it has no containers\n"),
            std::string::npos);
}

TEST(ClosingReport, NeverBreaksACommandOrAPath) {
  nlohmann::json data = finished("stopped", 3);
  const std::string command = "drydock -C /srv/" + std::string(90, 'x') + " rollback 7";
  data["next"] = {command};
  EXPECT_NE(
      closing(data).find("now:         Run this command:\n                 " + command + "\n"),
      std::string::npos);
}

}  // namespace
}  // namespace drydock
