// What it costs a run to write an event into its own log.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "events.h"
#include "view.h"

using drydock::Events;
using drydock::Masker;

namespace {

void write_an_event_to_the_log_of_a_run(benchmark::State& state) {
  std::string folder = (std::filesystem::temp_directory_path() / "drydock-log-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) throw std::runtime_error("no folder can be made");
  {
    const Masker masker;
    Events events(masker);
    const auto log = drydock::make_run_log(folder);
    events.add(*log);
    for (auto _ : state) {
      events.emit("log", {{"level", "info"}, {"text", "INFO  [alembic] Running upgrade a -> b"}},
                  "migrate", "run");
    }
  }
  std::filesystem::remove_all(folder);
}
BENCHMARK(write_an_event_to_the_log_of_a_run)->Unit(benchmark::kMicrosecond)->Iterations(20'000);

}  // namespace
