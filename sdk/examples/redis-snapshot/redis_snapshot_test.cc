// The stage against a real redis-server. Exit code 77: there is none.
#include <cstdio>

#include "data_folder.h"
#include "rdb_file.h"
#include "real_redis.h"
#include "redis_cli.h"

namespace {

namespace fs = std::filesystem;

const std::vector<std::string> with_rdb = {};
const std::vector<std::string> with_aof = {"--appendonly", "yes"};

// What the application has when the snapshot is taken, and what a failed release makes of it.
void fill(RealRedis& redis) {
  redis.ask({"SET", "greeting", "hello"});
  redis.ask({"RPUSH", "queue", "a", "b", "c"});
  redis.ask({"SELECT", "0"});
}
void spoil(RealRedis& redis) {
  redis.ask({"SET", "greeting", "spoilt"});
  redis.ask({"DEL", "queue"});
  redis.ask({"SET", "new", "1"});
}
bool is_whole(RealRedis& redis) {
  return redis.ask({"GET", "greeting"}) == "hello" && redis.ask({"LLEN", "queue"}) == "3" &&
         redis.ask({"DBSIZE"}) == "2";
}

void what_was_kept_comes_back(const std::vector<std::string>& with) {
  RealRedis redis(with);
  fill(redis);
  DRYDOCK_EXPECT(redis.perform("observe").ok());
  const auto before = redis.facts;
  DRYDOCK_EXPECT(redis.perform("plan").ok());
  DRYDOCK_EXPECT(redis.changes.size() == 1 && redis.changes[0].after.find("2 keys of Redis ") == 0);
  DRYDOCK_EXPECT(redis.perform("run").ok());
  DRYDOCK_EXPECT(redis.perform("verify").ok());
  DRYDOCK_EXPECT(redis.artifacts.size() == 1 && fs::exists(redis.artifacts[0].path));
  spoil(redis);
  const auto undone = redis.undo();
  DRYDOCK_EXPECT(undone.ok());
  DRYDOCK_EXPECT(is_whole(redis));
  DRYDOCK_EXPECT(redis.perform("observe").ok());
  DRYDOCK_EXPECT(redis.facts == before);
  // The server goes on as ever: what is written from now on is there after a restart.
  redis.ask({"SET", "later", "1"});
  redis.ask({"SAVE"});
  redis.restart(with);
  DRYDOCK_EXPECT(redis.ask({"GET", "later"}) == "1" && redis.ask({"GET", "greeting"}) == "hello");
  DRYDOCK_EXPECT(redis.violations.empty());
}

// An AOF that the failed release began must not be what the next release with one starts from.
void an_aof_of_the_failed_release_is_put_aside() {
  RealRedis redis(with_rdb);
  fill(redis);
  DRYDOCK_EXPECT(redis.perform("run").ok());
  redis.restart(with_aof);
  spoil(redis);
  DRYDOCK_EXPECT(fs::exists(redis.data() + "/appendonlydir"));
  DRYDOCK_EXPECT(redis.undo().ok());
  DRYDOCK_EXPECT(!fs::exists(redis.data() + "/appendonlydir.new"));
  DRYDOCK_EXPECT(fs::exists(redis.data() + "/appendonlydir.failed-7"));
  redis.restart(with_rdb);
  DRYDOCK_EXPECT(is_whole(redis));
}

// Before version 7 an AOF is one file, which may begin with an RDB. Version 7 still reads those.
void the_aof_of_an_older_server_is_one_file() {
  RealRedis redis(with_aof);
  fill(redis);
  DRYDOCK_EXPECT(redis.perform("run").ok());
  spoil(redis);
  DataLayout older = DataLayout::parse(*redis.note("layout"));
  older.aof = DataLayout::Aof::file;
  for (auto& note : redis.notes) {
    if (note.key == "layout") note.value = older.text();
  }
  DRYDOCK_EXPECT(redis.perform("rollback").ok());
  DRYDOCK_EXPECT(fs::exists(redis.data() + "/appendonly.aof"));
  DRYDOCK_EXPECT(!fs::exists(redis.data() + "/appendonlydir"));
  DRYDOCK_EXPECT(redis.perform("settle").ok());
  DRYDOCK_EXPECT(is_whole(redis));
}

// Killed at each note and after each command of a step: a repeated run and the way back end the
// same.
void killed_anywhere_nothing_is_lost(const std::string& step,
                                     const std::vector<std::string>& with) {
  for (const bool note : {true, false}) {
    int at = 1;
    for (bool died = true; died; ++at) {
      RealRedis redis(with);
      fill(redis);
      const auto die = [&] { note ? redis.die_at_remember(at) : redis.die_at_process(at); };
      if (step == "run") {
        die();
        died = redis.perform("run").died;
      }
      DRYDOCK_EXPECT(redis.perform("run").ok());
      DRYDOCK_EXPECT(redis.perform("verify").ok());
      spoil(redis);
      if (step == "rollback") {
        die();
        died = redis.perform("rollback").died;
      }
      DRYDOCK_EXPECT(redis.undo().ok());
      DRYDOCK_EXPECT(is_whole(redis));
      DRYDOCK_EXPECT(redis.violations.empty());
    }
    DRYDOCK_EXPECT(at > 3);  // there are two notes, and more commands
  }
}

void a_rollback_without_a_snapshot_leaves_redis_alone() {
  RealRedis redis(with_rdb);
  fill(redis);
  redis.die_at_remember(1);
  DRYDOCK_EXPECT(redis.perform("run").died);
  redis.ask({"SET", "greeting", "newer"});
  DRYDOCK_EXPECT(redis.undo().ok());
  DRYDOCK_EXPECT(redis.ask({"GET", "greeting"}) == "newer");
}

// A run that was killed is begun again, and killed again before it noted its own snapshot: what the
// first one kept is what comes back.
void a_repeated_run_does_not_spoil_what_was_kept() {
  RealRedis redis(with_rdb);
  fill(redis);
  redis.die_at_remember(2);  // `kept` is on disk
  DRYDOCK_EXPECT(redis.perform("run").died);
  spoil(redis);
  redis.die_before_remember(2);
  DRYDOCK_EXPECT(redis.perform("run").died);
  DRYDOCK_EXPECT(redis.undo().ok());
  DRYDOCK_EXPECT(is_whole(redis));
}

// Repeated to its end it leaves one snapshot.
void a_repeated_run_keeps_one_snapshot() {
  RealRedis redis(with_rdb);
  redis.ask({"SET", "early", "1"});
  redis.die_at_remember(2);
  DRYDOCK_EXPECT(redis.perform("run").died);
  redis.ask({"DEL", "early"});
  fill(redis);
  DRYDOCK_EXPECT(redis.perform("run").ok());
  const fs::directory_iterator kept(redis.private_dir());
  DRYDOCK_EXPECT(std::distance(begin(kept), end(kept)) == 1);
  spoil(redis);
  DRYDOCK_EXPECT(redis.undo().ok());
  DRYDOCK_EXPECT(is_whole(redis));
}

void a_damaged_snapshot_is_not_put_back() {
  RealRedis redis(with_rdb);
  fill(redis);
  DRYDOCK_EXPECT(redis.perform("run").ok());
  const std::string kept = redis.private_dir() + "/dump-1.rdb";
  {
    std::fstream file(kept, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(40);
    file.put('!');
  }
  const std::string damaged = kept + " is damaged: its checksum is not that of its bytes";
  DRYDOCK_EXPECT(redis.perform("verify").failure == damaged);
  DRYDOCK_EXPECT(redis.perform("rollback").failure == damaged);
  DRYDOCK_EXPECT(is_whole(redis));  // it still runs
  fs::resize_file(kept, 40);
  DRYDOCK_EXPECT(redis.perform("verify").failure == kept + " ends too early: it is cut");
}

// A password of all bytes that a line can have: in no argument, variable, log line or note.
void the_password_is_seen_by_nobody() {
  RealRedis redis(with_rdb);
  std::string password;
  for (int c = 1; c < 256; ++c) password += static_cast<char>(c);
  redis.ask({"CONFIG", "SET", "requirepass", password});
  redis.password = password;
  fill(redis);
  DRYDOCK_EXPECT(redis.perform("plan").failure.find("NOAUTH") != std::string::npos);
  redis.secret("/password", "wrong");
  DRYDOCK_EXPECT(redis.perform("plan").failure.find("WRONGPASS") != std::string::npos);
  redis.secret("/password", password);
  DRYDOCK_EXPECT(redis.perform("plan").ok());
  DRYDOCK_EXPECT(redis.perform("run").ok());
  const auto hides = [&](const std::string& text) {
    return text.find(password) == std::string::npos;
  };
  for (const auto& process : redis.processes) {
    for (const auto& word : process.arguments) DRYDOCK_EXPECT(hides(word));
    DRYDOCK_EXPECT(process.environment.empty());
  }
  DRYDOCK_EXPECT(hides(redis.log_text()));
  for (const auto& note : redis.notes) DRYDOCK_EXPECT(hides(note.value));
}

void progress_is_told_and_a_cancel_is_heard() {
  RealRedis redis({"--rdb-key-save-delay", "20000"});  // microseconds a key: the save takes seconds
  redis.ask({"EVAL", "for i = 1, 100 do redis.call('SET', i, string.rep('x', 2000)) end", "0"});
  redis.cancel_in_save = true;
  DRYDOCK_EXPECT(redis.perform("run").status == DRYDOCK_CANCELLED);
  DRYDOCK_EXPECT(redis.processes.back().input.find("BGSAVE") != std::string::npos);
  DRYDOCK_EXPECT(!redis.note("kept"));
  redis.cancel_in_save = false;
  DRYDOCK_EXPECT(redis.perform("run").ok());
  DRYDOCK_EXPECT(!redis.progress.empty() && redis.progress.front().unit == "keys");
  DRYDOCK_EXPECT(redis.progress.back().unit == "bytes");
  DRYDOCK_EXPECT(redis.progress.back().done == redis.progress.back().total);

  redis.option("/wait", std::chrono::milliseconds(0));
  DRYDOCK_EXPECT(redis.perform("run").failure.find("has not written its snapshot within 0 s") !=
                 std::string::npos);
}

void what_cannot_be_is_refused_with_a_reason() {
  RealRedis redis(with_rdb);
  redis.option("/data", "elsewhere");
  DRYDOCK_EXPECT(redis.perform("plan").failure ==
                 "with.data: there is no folder " + redis.deployment_dir() +
                     "/elsewhere; name the one that is mounted as " + redis.data() +
                     " in service redis");
  redis.option("/data", "volumes/redis/data");
  fs::remove_all(redis.data());  // under the server, which then can write nowhere
  DRYDOCK_EXPECT(redis.perform("run").failure.find("could not write a snapshot") !=
                 std::string::npos);
  redis.stop();
  const auto down = redis.perform("plan");
  DRYDOCK_EXPECT(down.status == DRYDOCK_BAD_OPTIONS);
  DRYDOCK_EXPECT(down.failure.find("service \"redis\" is not running; start the service") !=
                 std::string::npos);
  DRYDOCK_EXPECT(redis.perform("observe").ok());
  DRYDOCK_EXPECT(redis.facts["server"].value == "does not answer");
}

void parts_hold_for_themselves() {
  DRYDOCK_EXPECT(crc64(0, "123456789", 9) == 0xe9c6d914c4b8d9ca);  // as redis/src/crc64.c says
  DRYDOCK_EXPECT(crc64(crc64(0, "1234", 4), "56789", 5) == 0xe9c6d914c4b8d9ca);
  DRYDOCK_EXPECT(quoted("a-B_9") == "\"a-B_9\"");
  DRYDOCK_EXPECT(quoted("a b\"\n\xff") == "\"a\\x20b\\x22\\x0a\\xff\"");
  DataLayout layout;
  layout.aof = DataLayout::Aof::folder;
  layout.dbfilename = "shop.rdb";
  DRYDOCK_EXPECT(DataLayout::parse(layout.text()).text() == layout.text());
}

}  // namespace

int main() {
  if (!RealRedis::installed()) {
    std::puts("redis-server is not installed");
    return 77;
  }
  parts_hold_for_themselves();
  what_was_kept_comes_back(with_rdb);
  what_was_kept_comes_back(with_aof);
  killed_anywhere_nothing_is_lost("run", with_rdb);
  killed_anywhere_nothing_is_lost("rollback", with_aof);
  an_aof_of_the_failed_release_is_put_aside();
  the_aof_of_an_older_server_is_one_file();
  a_rollback_without_a_snapshot_leaves_redis_alone();
  a_repeated_run_does_not_spoil_what_was_kept();
  a_repeated_run_keeps_one_snapshot();
  a_damaged_snapshot_is_not_put_back();
  the_password_is_seen_by_nobody();
  progress_is_told_and_a_cancel_is_heard();
  what_cannot_be_is_refused_with_a_reason();
  return drydock::testing::report();
}
