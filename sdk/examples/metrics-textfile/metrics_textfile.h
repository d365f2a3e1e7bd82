// metrics-textfile: tells node_exporter's textfile collector how the last run went. For `finally:`,
// where it sees the run's end; nothing takes back what was told, so it has no rollback.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <drydock/stage.hpp>
#include <fstream>
#include <iterator>

#include "exposition.h"

struct MetricsTextfile {
  static constexpr auto name = "metrics-textfile";
  static constexpr auto summary =
      "Write how a run ended as metrics for node_exporter's textfile collector";
  static constexpr auto options = R"({
    "type": "object", "additionalProperties": false, "required": ["status"],
    "properties": {
      "status": {"type": "string", "example": "${{ run.status }}",
        "description": "how the run ended: `done` is success, anything else is not"},
      "directory": {"type": "string", "minLength": 1, "default": "/var/lib/prometheus/node-exporter",
        "description": "the folder of node_exporter's --collector.textfile.directory"},
      "file": {"type": "string", "pattern": "^[A-Za-z0-9_][A-Za-z0-9_.-]*\\.prom$", "default": "drydock.prom",
        "description": "the file's name there; one for each pipeline and deployment of a machine"},
      "labels": {"type": "object", "additionalProperties": {"type": "string"}, "default": {},
        "description": "labels of every metric, for example the application"},
      "gauges": {"type": "object", "additionalProperties": {"type": ["number", "string"]}, "default": {},
        "description": "further metrics, name to number, for example an output of a stage"}
    }
  })";

  static void plan(drydock::Call& call) {
    const std::string path = file(call);
    text(call, std::nullopt);  // whatever is wrong with names and numbers is told before the run
    struct stat status {};
    if (::stat(folder(call).c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
      throw drydock::BadOptions("with.directory: there is no folder " + folder(call) +
                                "; name the one of node_exporter's --collector.textfile.directory");
    }
    call.change({"file", "change", path});
  }

  static void run(drydock::Call& call) {
    const std::string path = file(call);
    write(path, text(call, success_before(path)));
    call.info("metrics are in " + path);
  }

  static void verify(drydock::Call& call) {
    if (sample_of(content(file(call)), "drydock_run_id") != static_cast<double>(call.run_id())) {
      throw drydock::Failed(file(call) + " does not tell of run " + std::to_string(call.run_id()) +
                            "; does another pipeline write the same file?");
    }
  }

 private:
  static std::string folder(const drydock::Call& call) {
    return call.deployment(call.text("/directory"));
  }
  static std::string file(const drydock::Call& call) {
    return folder(call) + "/" + call.text("/file");
  }

  static std::string content(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  // When a run succeeded last, as the file says that is about to be replaced.
  static std::optional<double> success_before(const std::string& path) {
    return sample_of(content(path), "drydock_run_last_success_timestamp_seconds");
  }

  static Labels labels(const drydock::Call& call) {
    Labels result;
    for (const std::string& key : call.keys("/labels")) {
      if (!is_label_name(key)) {
        throw drydock::BadOptions("with.labels: found '" + key +
                                  "', allowed: letters, digits and '_', no digit first");
      }
      result[key] = call.text(drydock::Call::member("/labels", key));
    }
    return result;
  }

  static double number(const drydock::Call& call, const std::string& key) {
    const std::string text = call.text(drydock::Call::member("/gauges", key));
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (!text.empty() && *end == '\0') return value;
    throw drydock::BadOptions("with.gauges." + key + ": found '" + text + "', allowed: a number");
  }

  // The whole file. `success` is the time of an earlier success.
  static std::string text(const drydock::Call& call, std::optional<double> success) {
    const Labels common = labels(call);
    const double now = std::chrono::duration<double>(std::chrono::floor<std::chrono::seconds>(
                                                         std::chrono::system_clock::now())
                                                         .time_since_epoch())
                           .count();
    const bool succeeded = call.text("/status") == "done";
    if (succeeded) success = now;
    Labels with_status = common;
    with_status["status"] = call.text("/status");
    std::string result =
        gauge("drydock_run_id", "Number of the last run.", common,
              static_cast<double>(call.run_id())) +
        gauge("drydock_run_success", "Whether the last run succeeded.", common, succeeded ? 1 : 0) +
        gauge("drydock_run_info", "How the last run ended.", with_status, 1) +
        gauge("drydock_run_end_timestamp_seconds", "When the last run ended.", common, now);
    if (success) {
      result += gauge("drydock_run_last_success_timestamp_seconds", "When a run succeeded last.",
                      common, *success);
    }
    for (const std::string& key : call.keys("/gauges")) {
      if (!is_metric_name(key)) {
        throw drydock::BadOptions("with.gauges: found '" + key +
                                  "', allowed: letters, digits, '_' and ':', no digit first");
      }
      result += gauge(key, "Given by the pipeline.", common, number(call, key));
    }
    return result;
  }

  // The collector reads whenever it likes: it sees the old file or the new one. It runs as another
  // user.
  static void write(const std::string& path, const std::string& text) {
    std::string fresh = path + ".XXXXXX";  // the collector reads *.prom only
    const int fd = ::mkstemp(fresh.data());
    if (fd < 0) refuse(path);
    std::size_t done = 0;
    bool good = true;
    while (good && done < text.size()) {
      const ssize_t n = ::write(fd, text.data() + done, text.size() - done);
      good = n >= 0 || errno == EINTR;
      if (n > 0) done += static_cast<std::size_t>(n);
    }
    good = good && ::fchmod(fd, 0644) == 0 && ::fsync(fd) == 0;
    good = ::close(fd) == 0 && good;
    if (good && ::rename(fresh.c_str(), path.c_str()) == 0) return;
    const int error = errno;
    ::unlink(fresh.c_str());
    errno = error;
    refuse(path);
  }
  [[noreturn]] static void refuse(const std::string& path) {
    throw drydock::Failed(path + " cannot be written (" + std::strerror(errno) +
                          "); let this user write into the folder, or name another one");
  }
};
