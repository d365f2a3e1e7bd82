#include "consent.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <iostream>

#include "error.h"
#include "text.h"

namespace drydock {

bool can_ask(const Arguments& arguments) {
  return ::isatty(STDIN_FILENO) != 0 && !arguments.json && !arguments.events;
}

void require_consent_possible(const Arguments& arguments) {
  if (arguments.yes || can_ask(arguments)) return;
  throw Error(arguments.command +
              " asks before it changes anything, and there is no terminal to ask on; add --yes");
}

void require_whole_way_back(const Arguments& arguments, const Plan& plan) {
  if (!arguments.yes || arguments.accept_partial_rollback) return;
  std::vector<std::string> lost;
  for (const PlannedStage& stage : plan.stages) {
    for (const PlannedChange& change : stage.changes) {
      if (change.what == partial_rollback) {
        lost.push_back(change.name + " (" + change.detail + ")");
      }
    }
  }
  if (lost.empty()) return;
  throw Error("a rollback could not put back as it was: " + join(lost, "; ") +
              "; nothing was changed. Put the files back that it was made of, or add "
              "--accept-partial-rollback to go on");
}

bool person_agrees(const std::string& question, const Cancellation& cancellation) {
  std::cout << question << " [y/N] " << std::flush;
  // Ctrl-C is an answer, too.
  std::array<pollfd, 2> heard{pollfd{STDIN_FILENO, POLLIN, 0},
                              pollfd{cancellation.fd(), POLLIN, 0}};
  while (::poll(heard.data(), heard.size(), -1) < 0 && errno == EINTR) {
  }
  if (cancellation.requested()) {
    std::cout << "\n";
    throw Error("cancelled; nothing was changed", ExitCode::cancelled);
  }
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace drydock
