#include "interruption_question.h"

#include <unistd.h>

#include <atomic>
#include <iostream>
#include <string>

namespace drydock {
namespace {

std::atomic<unsigned> signals{0};

}  // namespace

void count_signal() { ++signals; }

InterruptionQuestion::InterruptionQuestion(Events& events)
    : events_(events), answered_(signals.load()) {}

void InterruptionQuestion::ask_if_signalled() {
  if (signals.load() == answered_) return;
  answered_ = signals.load();  // one that comes while somebody answers asks again
  if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0) {
    events_.emit("warning", {{"text",
                              "the rollback goes on: cut off, it would leave the deployment "
                              "half put back"}});
    return;
  }
  std::cout << "\nThe rollback is not finished. Stopped now, the deployment stays half put back "
               "until\n`drydock rollback` is run again. Stop it? [y/N] "
            << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  std::cin.clear();  // the end of the input is no answer
  if (answer == "y" || answer == "Y" || answer == "yes") throw RollbackCutOff();
}

}  // namespace drydock
