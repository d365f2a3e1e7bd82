// What takes a word of its own where nobody is asked.
#include "consent.h"

#include <gtest/gtest.h>

#include <sstream>

#include "command_table.h"
#include "error.h"

namespace drydock {
namespace {

Plan plan_with(const std::string& what) {
  PlannedStage stage;
  PlannedChange change;
  change.what = what;
  change.action = "lose";
  change.name = "api";
  change.detail = "its files are not known";
  stage.changes.push_back(change);
  Plan plan;
  plan.stages.push_back(stage);
  return plan;
}

std::string refusal(const Arguments& arguments, const Plan& plan) {
  try {
    require_whole_way_back(arguments, plan);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::refused);
    return e.what();
  }
  return "";
}

TEST(HelpText, FitsIntoEightyColumns) {
  for (const Command& command : commands) {
    std::istringstream text(help_text(command.name));
    for (std::string line; std::getline(text, line);) {
      EXPECT_LE(line.size(), 80u) << command.name << ": " << line;
    }
  }
}

TEST(Consent, APartialRollbackIsAcceptedByName) {
  Arguments arguments;
  EXPECT_EQ(refusal(arguments, plan_with("rollback")), "") << "a person is asked";
  arguments.yes = true;
  const std::string said = refusal(arguments, plan_with("rollback"));
  EXPECT_NE(said.find("api (its files are not known)"), std::string::npos) << said;
  EXPECT_NE(said.find("--accept-partial-rollback"), std::string::npos) << said;
  EXPECT_EQ(refusal(arguments, plan_with("service")), "");
  arguments.accept_partial_rollback = true;
  EXPECT_EQ(refusal(arguments, plan_with("rollback")), "");
}

TEST(Consent, TheCommandLineHasTheWord) {
  EXPECT_TRUE(
      parse_command_line({"run", "--yes", "--accept-partial-rollback"}).accept_partial_rollback);
  EXPECT_THROW(parse_command_line({"resume", "--accept-partial-rollback"}), Error);
}

}  // namespace
}  // namespace drydock
