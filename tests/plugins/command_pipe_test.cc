// One command's output as another's input.
#include "command_pipe.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <drydock/testing.hpp>
#include <future>

namespace {

using drydock::Call;
using drydock::Piped;
using drydock::Process;
using drydock::testing::FakeHost;

Process command(std::vector<std::string> arguments) {
  Process process;
  process.arguments = std::move(arguments);
  return process;
}

struct Pipe {
  static constexpr auto name = "pipe";
  static constexpr auto summary = "Pipe what one command prints into another";
  static constexpr auto options = "{}";
  static void run(Call& call) {
    std::string seen;
    const Piped piped =
        pipe_commands(call, command({"echo", "some rows"}), command({"tee", "restored"}),
                      [&](std::string_view bytes) { seen += bytes; });
    call.output("seen", seen);
    if (piped.broken || !piped.from.exit.ok() || !piped.into.ok()) throw drydock::Failed("broken");
  }
};

// A machine with much to do starts the second command when the first one has long ended, with all
// that it printed in the pipe.
TEST(CommandPipe, ASlowStartOfTheSecondCommandLosesNothing) {
  FakeHost host;
  std::promise<void> opened;
  host.on_process([&](const Process& process) {
    if (process.arguments[0] == "echo") {
      opened.get_future().wait();
    } else {
      const drydock::testing::detail::Descriptor pipe(
          ::open(process.input_file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
      opened.set_value();
      pollfd until_nobody_writes{pipe.fd, 0, 0};
      EXPECT_EQ(::poll(&until_nobody_writes, 1, -1), 1);
    }
    return drydock::testing::execute(process, -1);
  });
  const auto result = host.perform<Pipe>("run");
  EXPECT_TRUE(result.ok()) << result.failure;
  EXPECT_EQ(host.outputs.at("seen").value, "some rows\n");
  EXPECT_EQ(host.read("restored"), "some rows\n");
}

}  // namespace
