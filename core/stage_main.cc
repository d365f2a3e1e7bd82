// drydock-stage: the worker. Loads one plugin, performs the steps of one stage, and is gone.
//
// The main thread lives as long as the process and listens to the runner; the steps run on a
// second thread, which ends the process when it has its answer.
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <thread>

#include "stage_channel.h"
#include "stage_host.h"
#include "stage_library.h"
#include "wire_messages.h"

namespace drydock {
namespace {

// No destructor of the plugin runs: a library that hangs or crashes in one must not spoil the
// answer that was given already.
[[noreturn]] void leave() { ::_exit(0); }

[[noreturn]] void refuse(StageChannel& channel, const WontLoad& refused) {
  channel.send("refused", to_wire(refused.reason));
  leave();
}

using Loading = std::variant<LoadedPlugin, WontLoad>;

Loading load(const nlohmann::json& asked) {
  return load_plugin(from_wire(asked.at("plugin_file")), read_plugin_identity(asked));
}

[[noreturn]] void describe(StageChannel& channel, const nlohmann::json& asked) {
  const std::string plugin_file = from_wire(asked.at("plugin_file"));
  const Loading loaded = load(asked);
  if (const auto* refused = std::get_if<WontLoad>(&loaded)) refuse(channel, *refused);
  const auto described = describe_plugin(std::get<LoadedPlugin>(loaded), plugin_file);
  if (const auto* refused = std::get_if<WontLoad>(&described)) refuse(channel, *refused);
  if (!channel.send("plugin", description_body(std::get<PluginDescription>(described)))) {
    refuse(channel, {plugin_file + " describes its stage types with more than 4 MiB."});
  }
  leave();
}

[[noreturn]] void inspect(StageChannel& channel, const nlohmann::json& asked) {
  const std::string file = from_wire(asked.at("plugin_file"));
  const auto inspected = inspect_plugin(file, asked.at("ask").get<bool>());
  if (const auto* refused = std::get_if<WontLoad>(&inspected)) refuse(channel, *refused);
  if (!channel.send("inspected", inspection_body(std::get<PluginInspection>(inspected)))) {
    refuse(channel, {file + " describes its stage types with more than 4 MiB."});
  }
  leave();
}

drydock_stage stage_of(StageChannel& channel, const Loading& loaded, const StepRequest& request) {
  if (const auto* refused = std::get_if<WontLoad>(&loaded)) refuse(channel, *refused);
  const auto found =
      find_stage(std::get<LoadedPlugin>(loaded), request.plugin_file, request.stage_type);
  if (const auto* refused = std::get_if<WontLoad>(&found)) refuse(channel, *refused);
  return std::get<drydock_stage>(found);
}

[[noreturn]] void perform(StageChannel& channel, const StepRequest& request,
                          const drydock_stage& stage, StageHost& host) {
  for (Step step : request.steps) {
    const drydock_step& performed = step_of(stage, step);
    if (performed.perform == nullptr) {
      refuse(channel, {request.plugin_file + " has no step " + std::string(name_of(step)) +
                       " for '" + request.stage_type + "' any more."});
    }
    channel.send("step", name_of(step));
    const Done done = host.end(performed.perform(host.begin(step)));
    channel.send("done", done_body({step, done}));
    if (done.status != Status::ok) break;
  }
  leave();
}

[[noreturn]] void listen(StageChannel& channel, StageHost& host) {
  for (;;) {
    const Message message = channel.receive();
    if (message.kind == "cancel") {
      host.cancel();
    } else if (message.kind == "remembered") {
      host.remembered(message.body.is_null() ? std::nullopt
                                             : std::optional(from_wire(message.body)));
    }
  }
}

int work() {
  StageChannel channel;
  if (!channel.open()) {
    std::fputs("drydock-stage is a part of drydock, which starts it: run drydock instead.\n",
               stderr);
    return 2;
  }
  // Writing to a child that has gone is an error to handle, not a reason to die.
  ::signal(SIGPIPE, SIG_IGN);
  channel.send("drydock-stage",
               {{"wire", wire_version},
                {"abi", DRYDOCK_QUOTE(DRYDOCK_ABI_MAJOR) "." DRYDOCK_QUOTE(DRYDOCK_ABI_MINOR)}});

  std::optional<Loading> loaded;
  StepRequest request;
  drydock_stage stage{};
  StageTimes times;
  for (bool begun = false; !begun;) {
    const Message message = channel.receive();
    if (message.kind == "probe") {
      describe(channel, message.body);
    } else if (message.kind == "inspect") {
      inspect(channel, message.body);
    } else if (message.kind == "load") {
      loaded = load(message.body);
    } else if (message.kind == "request") {
      request = read_request(message.body);
      // While the runner journals that the step begins.
      if (!loaded) loaded = load(message.body);
      stage = stage_of(channel, *loaded, request);
    } else if (message.kind == "note") {
      request.notes.push_back(read_note(message.body));
    } else if (message.kind == "begin") {
      times.deadline_ms = message.body.at("deadline_ms").get<std::int64_t>();
      times.command_grace =
          std::chrono::milliseconds(message.body.at("command_grace_ms").get<std::int64_t>());
      begun = true;
    }
  }
  StageHost host(channel, request, times);
  if (::chdir(request.deployment_dir.c_str()) != 0) {
    refuse(channel, {"The deployment " + request.deployment_dir +
                     " cannot be entered: " + std::strerror(errno) + "."});
  }
  std::thread(perform, std::ref(channel), std::cref(request), std::cref(stage), std::ref(host))
      .detach();
  listen(channel, host);
}

}  // namespace
}  // namespace drydock

int main() { return drydock::work(); }
