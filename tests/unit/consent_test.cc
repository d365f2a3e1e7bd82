// What takes a word of its own where nobody is asked.
#include "consent.h"

#include <gtest/gtest.h>

#include <sstream>

#include "command_table.h"
#include "error.h"
#include "text.h"

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

std::string help_of(const std::string& command, const std::string& action = "") {
  Arguments arguments;
  arguments.command = command;
  if (!action.empty()) arguments.positional = {action};
  return help_text(arguments);
}

void expect_eighty_columns(const std::string& help) {
  std::istringstream text(help);
  for (std::string line; std::getline(text, line);) EXPECT_LE(line.size(), 80u) << line;
}

TEST(HelpText, FitsIntoEightyColumns) {
  expect_eighty_columns(help_of(""));
  for (const Command& command : commands) expect_eighty_columns(help_of(command.name));
}

TEST(HelpText, OfAnActionIsAboutNothingElse) {
  const auto says = [](const std::string& help, const std::string& text) {
    return help.find(text) != std::string::npos;
  };
  const std::string approve = help_of("rollout", "approve");
  EXPECT_TRUE(says(approve, "rollout approve ROLLOUT")) << approve;
  EXPECT_TRUE(says(approve, "--comment") && says(approve, "--wave") && says(approve, "--state"))
      << approve;
  EXPECT_FALSE(says(approve, "--watch") || says(approve, "--var") || says(approve, "--yes"))
      << approve;
  EXPECT_TRUE(says(help_of("rollout", "resume"), "--var"));
  EXPECT_EQ(help_of("rollout", "nothing"), help_of("rollout"));
  // Each has examples of its own, and no others.
  for (const Command& command : commands) {
    for (const std::string& action : actions_of(command)) {
      const std::string help = help_of(command.name, action);
      const std::vector<std::string> examples =
          split(help.substr(help.find("Example: ") + 9), '\n');
      EXPECT_FALSE(examples.empty()) << help;
      for (const std::string& example : examples) {
        EXPECT_TRUE(says(example, std::string(command.name) + " " + action)) << help;
      }
      expect_eighty_columns(help);
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
