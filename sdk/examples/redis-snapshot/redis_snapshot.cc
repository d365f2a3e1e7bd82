#include "redis_snapshot.h"

#include <poll.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "data_folder.h"
#include "rdb_file.h"
#include "redis_cli.h"

using drydock::BadOptions;
using drydock::Call;
using drydock::Failed;

namespace {

using Clock = std::chrono::steady_clock;

// Notes. `layout` is there before anything happens, `kept` once the snapshot can be relied on.
constexpr auto layout_note = "layout";    // DataLayout of the old server
constexpr auto kept_note = "kept";        // Kept::text()
constexpr auto stopped_note = "stopped";  // the rollback stopped the service, so settle starts it
constexpr auto placed_note = "placed";    // the rollback has put the snapshot back

std::string data_folder(const Call& call) { return call.deployment(call.text("/data")); }

// The snapshot that counts. A run that is repeated writes another file: until its own note is on
// disk the one that was kept before is what a rollback needs.
struct Kept {
  std::string file;  // in the private folder
  std::string rdb;   // RdbFile::text()
  std::string text() const { return file + "\n" + rdb; }
  static std::optional<Kept> of(const Call& call) {
    const auto note = call.recall(kept_note);
    if (!note) return std::nullopt;
    const std::size_t end = note->find('\n');
    return Kept{note->substr(0, end), note->substr(end + 1)};
  }
  std::string path(const Call& call) const { return call.private_dir() + "/" + file; }
};

// One that is not there yet.
std::string new_file(const Call& call) {
  for (int n = 1;; ++n) {
    std::string name = "dump-" + std::to_string(n) + ".rdb";
    if (!std::filesystem::exists(call.private_dir() + "/" + name)) return name;
  }
}

// What a run that was repeated left beside the one that counts.
void remove_others(const Call& call, const std::string& kept) {
  for (const auto& entry : std::filesystem::directory_iterator(call.private_dir())) {
    const std::string name = entry.path().filename().string();
    if (name.rfind("dump-", 0) == 0 && name != kept) std::filesystem::remove(entry.path());
  }
}

std::uint64_t number(const std::map<std::string, std::string>& fields, const std::string& name) {
  const auto found = fields.find(name);
  return found == fields.end() ? 0 : std::strtoull(found->second.c_str(), nullptr, 10);
}

std::string text(const std::map<std::string, std::string>& fields, const std::string& name) {
  const auto found = fields.find(name);
  return found == fields.end() ? "" : found->second;
}

// Waits a little; a cancel ends that at once.
void pause(const Call& call) {
  struct pollfd cancelled = {call.cancel_fd(), POLLIN, 0};
  ::poll(&cancelled, 1, 100);
  call.throw_if_cancelled();
}

std::string version_of(RedisCli& redis) { return text(redis.info("server"), "redis_version"); }

DataLayout layout_of(RedisCli& redis) {
  DataLayout layout;
  layout.dbfilename = redis.setting("dbfilename", layout.dbfilename);
  layout.appendfilename = redis.setting("appendfilename", layout.appendfilename);
  layout.appenddirname = redis.setting("appenddirname", layout.appenddirname);
  if (number(redis.info("persistence"), "aof_enabled") != 0) {
    const bool has_folder = std::atoi(version_of(redis).c_str()) >= 7;
    layout.aof = has_folder ? DataLayout::Aof::folder : DataLayout::Aof::file;
  }
  return layout;
}

std::uint64_t keys_of(RedisCli& redis) {
  std::uint64_t keys = 0;
  for (const auto& [database, fields] :
       redis.info("keyspace")) {  // db0: keys=3,expires=0,avg_ttl=0
    const std::size_t at = fields.find("keys=");
    if (at != std::string::npos) keys += std::strtoull(fields.c_str() + at + 5, nullptr, 10);
  }
  return keys;
}

// Lets the server write its own snapshot, in a process of its own: it goes on serving.
void save(Call& call, RedisCli& redis) {
  const Clock::time_point until = Clock::now() + call.duration("/wait");
  const std::uint64_t saved_before = number(redis.info("persistence"), "rdb_last_save_time");
  bool asked = false, begun = false;
  for (;; pause(call)) {
    auto now = redis.info("persistence");
    const bool saving = number(now, "rdb_bgsave_in_progress") != 0;
    begun = begun || (asked && (saving || number(now, "rdb_last_save_time") != saved_before));
    if (asked && begun && !saving) {
      if (text(now, "rdb_last_bgsave_status") == "ok") return;
      throw Failed(
          "the Redis of service " + redis.service() +
          " could not write a snapshot; its log says why (mostly: disk or memory is full)");
    }
    if (!asked && !saving) {  // one that was going on already may lack the last writes
      const std::string reply = redis.ask({"BGSAVE", "SCHEDULE"});
      begun = reply.find("started") != std::string::npos;
      asked = true;
    }
    if (saving) {
      call.progress(number(now, "current_save_keys_processed"),
                    number(now, "current_save_keys_total"), "keys");
    }
    if (Clock::now() > until) {
      throw Failed("the Redis of service " + redis.service() +
                   " has not written its snapshot within " +
                   std::to_string(call.duration("/wait").count() / 1000) + " s; raise with.wait");
    }
  }
}

// Copies what the server wrote into the private folder, where a kill leaves nothing that counts.
RdbFile keep(Call& call, const std::string& written, const std::string& kept) {
  const RdbFile original = check_rdb(written);
  Access access = access_of(call.private_dir());
  access.mode = 0600;
  copy_durably(written, kept, access, [&](std::uint64_t done) {
    call.throw_if_cancelled();
    call.progress(done, original.bytes, "bytes");
  });
  return check_rdb(kept);  // what is on the disk now, which is what a rollback will read
}

bool runs(Call& call, const std::string& service) {
  const drydock::Captured said =
      call.capture(call.compose({"ps", "--status", "running", "--quiet", service}));
  return said.exit.ok() && !said.out.empty();
}

void compose(Call& call, const std::vector<std::string>& arguments) {
  const drydock::Exit exit = call.run(call.compose(arguments));
  if (!exit.ok()) {
    throw Failed("docker compose " + arguments.front() + " " + arguments.back() + " ended with " +
                 exit.describe() + "; what it printed is in the log");
  }
}

}  // namespace

void RedisSnapshot::observe(Call& call) {
  RedisCli redis(call);
  std::string why;
  if (!redis.serves(why)) {
    call.fact("server", "does not answer");
    return;
  }
  call.fact("server", version_of(redis));
  call.fact("files", layout_of(redis).text());
  call.informational_fact("keys", std::to_string(keys_of(redis)));
}

void RedisSnapshot::plan(Call& call) {
  RedisCli redis(call);
  std::string why;
  if (!redis.serves(why)) {
    throw BadOptions(why + "; start the service before the upgrade, or leave this stage out");
  }
  const std::string folder = data_folder(call);
  if (!std::filesystem::is_directory(folder)) {
    throw BadOptions("with.data: there is no folder " + folder +
                     "; name the one that is mounted as " +
                     redis.setting("dir", "the data folder") + " in service " + redis.service());
  }
  drydock::Change change{"database", "save", redis.service()};
  change.after = std::to_string(keys_of(redis)) + " keys of Redis " + version_of(redis);
  change.detail = layout_of(redis).aof == DataLayout::Aof::none
                      ? "a rollback stops it and puts its RDB back"
                      : "a rollback stops it and puts its RDB and a new AOF back";
  change.disk_bytes = static_cast<std::int64_t>(number(redis.info("memory"), "used_memory"));
  change.rollback_loses = "what is written to Redis after the snapshot";
  call.change(change);
}

void RedisSnapshot::run(Call& call) {
  RedisCli redis(call);
  const DataLayout layout = layout_of(redis);
  call.remember(layout_note, layout.text());
  save(call, redis);
  Kept kept{new_file(call), ""};
  kept.rdb = keep(call, data_folder(call) + "/" + layout.dbfilename, kept.path(call)).text();
  call.remember(kept_note, kept.text());
  remove_others(call, kept.file);
  call.artifact("dump.rdb", kept.path(call), "all keys of the Redis of service " + redis.service());
  call.info("kept " + kept.rdb);
}

void RedisSnapshot::verify(Call& call) {
  const auto kept = Kept::of(call);
  if (!kept) throw Failed("nothing of Redis was kept; run the stage again");
  const std::string found = check_rdb(kept->path(call)).text();
  if (kept->rdb == found) return;
  throw Failed(kept->path(call) + " is another file (" + found + ") than was kept (" + kept->rdb +
               ")");
}

// Everything that comes later is undone by now: what runs is the new server or none.
void RedisSnapshot::rollback(Call& call) {
  const auto kept = Kept::of(call);
  const auto layout = call.recall(layout_note);
  if (!kept || !layout || call.recall(placed_note)) return;
  const std::string file = kept->path(call);
  const RdbFile snapshot = check_rdb(file);
  if (snapshot.text() != kept->rdb) {
    throw Failed(file + " is not what was kept (" + kept->rdb + "), so Redis was left alone");
  }
  const std::string service = call.text("/service");
  if (runs(call, service)) {
    call.remember(stopped_note, service);
    compose(call, {"stop", service});  // with it ends whoever could write over the files
  }
  put_back(data_folder(call), DataLayout::parse(*layout), file, std::to_string(call.run_id()),
           [&](std::uint64_t done) { call.progress(done, snapshot.bytes, "bytes"); });
  call.remember(placed_note, kept->file);
  call.info("what the failed release had is in " + data_folder(call) + ", as *.failed-" +
            std::to_string(call.run_id()));
}

// By now the old files and images are back. Where a stage of Compose's settles the same service
// later, it finds it running.
void RedisSnapshot::settle(Call& call) {
  if (!call.recall(placed_note) || !call.recall(stopped_note)) return;
  compose(call, {"up", "--detach", "--no-deps", call.text("/service")});
  RedisCli redis(call);
  const Clock::time_point until = Clock::now() + call.duration("/wait");
  for (std::string why; !redis.serves(why); pause(call)) {
    if (Clock::now() > until) throw Failed("after the snapshot was put back " + why);
  }
  call.info("Redis serves " + std::to_string(keys_of(redis)) + " keys again");
}
