// A plugin for worker_test. Its one stage type does in every step what its option `do` says.
#include <drydock/stage.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

namespace {

const drydock_call* call;
const drydock_host* host;

drydock_bytes bytes(const std::string& text) { return {text.data(), text.size()}; }

void say(const std::string& text) { host->log(call, DRYDOCK_LOG_INFO, bytes(text)); }

std::string option(const char* pointer) {
  drydock_value value{};
  value.struct_size = sizeof value;
  if (host->option(call, pointer, &value) != DRYDOCK_OK) return "";
  return std::string(value.text.data == nullptr ? "" : value.text.data, value.text.size);
}

drydock_status run(const char* const* arguments, drydock_exit* exit, drydock_process process = {}) {
  process.struct_size = sizeof process;
  process.arguments = arguments;
  exit->struct_size = sizeof *exit;
  return host->run_process(call, &process, exit);
}

void say_exit(drydock_status status, const drydock_exit& exit) {
  say("status " + std::to_string(status) + " code " + std::to_string(exit.code) + " signal " +
      std::to_string(exit.signal) + " timed_out " + std::to_string(exit.timed_out) + " stopped " +
      std::to_string(exit.stopped));
}

drydock_status until_enough(void*, std::int32_t stream, drydock_bytes line) {
  say("heard " + std::to_string(stream) + " " + std::string(line.data, line.size));
  return std::string(line.data, line.size) == "enough" ? DRYDOCK_CANCELLED : DRYDOCK_OK;
}

drydock_status report_everything() {
  host->progress(call, 3, 3, "files");
  const std::string step = call->step;
  if (step == "run" || step == "verify") {
    host->output(call, "image", bytes(std::string("a\xff\0b", 4)), DRYDOCK_OUTPUT_PROMOTE);
    host->artifact(call, "dump", "/tmp/dump", "the dump");
  }
  if (step == "observe") {
    host->fact(call, "version", bytes("1"), DRYDOCK_MUST_RETURN | DRYDOCK_FACT_SECRET);
  } else if (step == "plan") {
    drydock_change change{};
    change.struct_size = sizeof change;
    change.what = "file";
    change.action = "add";
    change.name = "hello";
    change.after = {"new", 3};
    change.disk_bytes = -1;
    host->change(call, &change);
  } else {
    const drydock_status status = host->remember(call, "made", bytes("hello"));
    if (status != DRYDOCK_OK) return status;
    drydock_bytes key{}, value{};
    for (std::size_t i = 0; host->note_at(call, i, &key, &value) == DRYDOCK_OK; ++i) {
      say("note " + std::string(key.data, key.size) + "=" + std::string(value.data, value.size));
    }
  }
  return DRYDOCK_OK;
}

void read_options() {
  for (const char* pointer : {"", "/list", "/list/1", "/count", "/ratio", "/flag", "/nothing",
                              "/absent", "/a~1b", "/password", "/environment", "/bytes"}) {
    drydock_value value{};
    value.struct_size = sizeof value;
    const drydock_status status = host->option(call, pointer, &value);
    say(std::string(pointer) + " " + std::to_string(status) + " type " +
        std::to_string(value.type) + " integer " + std::to_string(value.integer) + " size " +
        std::to_string(value.size) + " text " +
        std::string(value.text.data == nullptr ? "" : value.text.data, value.text.size));
  }
  drydock_bytes key{};
  for (std::size_t i = 0; host->option_key(call, "/environment", i, &key) == DRYDOCK_OK; ++i) {
    say("key " + std::string(key.data, key.size));
  }
  drydock_bytes secret{};
  if (host->secret(call, "/password", &secret) == DRYDOCK_OK) {
    say("secret of " + std::to_string(secret.size) + " bytes");
  }
}

// What a command sees of the world, line by line.
drydock_status run_commands() {
  drydock_exit exit{};
  const char* shell[] = {"sh", "-c", option("/command").c_str(), nullptr};
  const std::string command = option("/command");
  shell[2] = command.c_str();
  const std::string variable = option("/variable");
  const char* environment[] = {"ADDED=yes", variable.empty() ? nullptr : variable.c_str(), nullptr};
  drydock_process process{};
  process.environment = environment;
  const std::string input = option("/input");
  process.input = bytes(input);
  const std::string file = option("/output_file");
  if (!file.empty()) process.output_file = file.c_str();
  drydock_value timeout{};
  timeout.struct_size = sizeof timeout;
  host->option(call, "/timeout", &timeout);
  process.timeout_ms = timeout.integer;
  if (!option("/until_enough").empty()) process.on_line = until_enough;
  const drydock_status status = run(shell, &exit, process);
  say_exit(status, exit);
  return status;
}

drydock_status perform(const drydock_call* given) {
  call = given;
  host = given->host;
  const std::string what = option("/do");
  if (what == "report") return report_everything();
  if (what == "options") read_options();
  if (what == "command") return run_commands();
  if (what == "missing command") {
    drydock_exit exit{};
    const char* arguments[] = {"no-such-program", nullptr};
    return run(arguments, &exit);
  }
  if (what == "commands of threads") {
    std::thread other([] {
      drydock_exit exit{};
      const char* arguments[] = {"/bin/true", nullptr};
      say_exit(run(arguments, &exit), exit);
    });
    other.join();
  }
  if (what == "fail") {
    host->fail(call, bytes("disk of 3 GB is full"));
    return DRYDOCK_FAILED;
  }
  if (what == "status") return static_cast<drydock_status>(std::atoi(option("/status").c_str()));
  if (what == "change") {
    drydock_change change{};
    change.struct_size = sizeof change;
    change.what = "file";
    change.action = "add";
    change.name = "x";
    host->change(call, &change);
  }
  if (what == "change words") {
    const std::string word = option("/what"), action = option("/action");
    drydock_change change{};
    change.struct_size = sizeof change;
    change.what = word.c_str();
    change.action = action.c_str();
    change.name = "";
    host->change(call, &change);
  }
  if (what == "output") {
    drydock_value flags{};
    flags.struct_size = sizeof flags;
    host->option(call, "/flags", &flags);
    host->output(call, option("/name").c_str(), bytes("y"),
                 static_cast<std::uint32_t>(flags.integer));
  }
  if (what == "artifact") host->artifact(call, "x", "y", nullptr);
  if (what == "kind of fact") host->fact(call, "x", bytes("y"), 4);
  if (what == "fact") host->fact(call, "x", bytes("y"), DRYDOCK_MUST_RETURN);
  if (what == "informational fact") host->fact(call, "x", bytes("y"), DRYDOCK_INFORMATIONAL);
  if (what == "remember") host->remember(call, "x", bytes("y"));
  if (what == "large note") host->remember(call, "x", bytes(std::string((1u << 20) + 1, 'x')));
  if (what == "large note that fits") {
    return host->remember(call, "x", bytes(std::string(1u << 20, '\x01')));
  }
  if (what == "large output") host->output(call, "x", bytes(std::string(5u << 20, 'x')), 0);
  if (what == "many progress") {
    for (std::uint64_t i = 0; i < 100000; ++i) host->progress(call, i, 0, "files");
  }
  if (what == "signal") {
    const int signal = std::atoi(option("/signal").c_str());
    ::signal(signal, SIG_DFL);  // a sanitizer would make an exit of it
    ::kill(::getpid(), signal);
    for (;;) ::pause();  // another thread may be the one that gets it
  }
  if (what == "abort") std::abort();
  // Not std::exit: the leak check of a sanitizer, which a worker never reaches otherwise, stops all
  // threads there, and fails with a code of its own when it cannot.
  if (what == "exit") std::quick_exit(7);
  if (what == "close") {
    ::close(3);
    for (;;) ::pause();
  }
  if (what == "garbage") {
    const char frame[] = {5, 0, 0, 0, 'h', 'e', 'l', 'l', 'o'};
    (void)!::write(3, frame, sizeof frame);
    for (;;) ::pause();
  }
  if (what == "oversized") {
    const char frame[] = {0, 0, 0, 0x7f};
    (void)!::write(3, frame, sizeof frame);
    for (;;) ::pause();
  }
  if (what == "wrong message") {
    const std::string text = R"({"fact":{"name":7}})";
    const char size[] = {static_cast<char>(text.size()), 0, 0, 0};
    (void)!::write(3, size, 4);
    (void)!::write(3, text.data(), text.size());
    for (;;) ::pause();
  }
  if (what == "print") {
    (void)!::write(1, "to stdout\n", 10);
    (void)!::write(2, "to stderr", 9);
  }
  if (what == "print much") {
    const std::string line = std::string(65535, 'x') + "\n";
    for (int i = 0; i < 300; ++i) (void)!::write(1, line.data(), line.size());
  }
  if (what == "wait for cancel") {
    say("waiting");
    while (host->cancelled(call) == 0) ::usleep(1000);
    return DRYDOCK_CANCELLED;
  }
  if (what == "ignore cancel") {
    ::signal(SIGTERM, SIG_IGN);
    say("waiting");
    for (;;) ::pause();
  }
  if (what == "sleep") {
    say("waiting");
    for (;;) ::pause();
  }
  if (what == "leave daemon") {
    int ready[2];
    (void)!::pipe(ready);
    if (::fork() == 0) {
      ::setsid();
      (void)!::write(ready[1], "x", 1);
      for (;;) ::pause();
    }
    char byte;
    (void)!::read(ready[0], &byte, 1);
  }
  if (what == "world") {
    char directory[4096];
    say(std::string("directory ") + ::getcwd(directory, sizeof directory));
    for (char** entry = environ; *entry != nullptr; ++entry) say(std::string("env ") + *entry);
    for (int fd = 0; fd < 64; ++fd) {
      if (::fcntl(fd, F_GETFD) >= 0) say("fd " + std::to_string(fd));
    }
    say("session " + std::to_string(::getsid(0) == ::getpid()));
    say(std::string("planned_dir '") + call->planned_dir + "'");
  }
  return DRYDOCK_OK;
}

const drydock_stage stage = {sizeof(drydock_stage),
                             "sample",
                             "Do what the option says",
                             R"({"type": "object"})",
                             2,
                             {perform, nullptr},
                             {perform, nullptr},
                             {perform, nullptr},
                             {perform, "/verify"},
                             {perform, nullptr},
                             {nullptr, nullptr}};
const drydock_stage* const stages[] = {&stage};
const drydock_plugin plugin = {sizeof(drydock_plugin),
                               DRYDOCK_ABI_MAJOR,
                               DRYDOCK_ABI_MINOR,
                               "test.worker",
                               "1.2.3",
                               stages,
                               1};

}  // namespace

extern "C" {
DRYDOCK_NOTE("test.worker", "1.2.3");
const drydock_plugin* drydock_plugin_v1(void) { return &plugin; }
}
