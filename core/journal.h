// The journal of a deployment: runs, stages, facts and notes, in DEPLOYMENT/.drydock/journal.db
// (SQLite, WAL, synchronous=FULL). It alone decides a rollback: each call that writes is on disk
// when it returns, but for the end of a step, the start of a verify and what is said to be with the
// next one: what the power takes of them is repeated, and no process outlives the machine. Nothing
// secret is ever written here: callers mask texts, secret options stand as the texts of the
// pipeline, which are expressions that name them. (docs/decisions.md: of a secret that was typed
// into the pipeline.)
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "inputs.h"
#include "journal_file.h"
#include "step.h"
#include "worker.h"

namespace drydock {

enum class RunState {
  running,
  rolling_back,
  done,          // finished, and not rolled back
  rolled_back,   // and verified
  cancelled,     // rolled back and verified, because somebody asked
  stopped,       // failed under `on_failure: stop`: left as it was
  needs_person,  // not wholly put back, or that could not be verified
  rehearsed,     // only on copies, which are gone: there is nothing to put back
};
enum class StageState {
  pending,
  skipped,
  started,
  done,
  failed,
  rolled_back,
  settled,
  put_back_alone  // and the run went on without it (`on_failure: continue`)
};

std::string_view name_of(RunState state);
// What a run in this state changed may still be in place.
bool stands(RunState state);
std::string_view name_of(StageState state);

// A process group that works, or worked, for a run.
struct JournaledWorker {
  pid_t group = 0;
  std::uint64_t start_time = 0;  // field 22 of /proc/PID/stat
  std::string boot_id;
};

struct RunRecord {
  std::uint64_t id = 0;
  RunState state = RunState::running;
  std::string key;  // who started it gave it this name; "": none. No two runs share one
  std::string pipeline, pipeline_file, pipeline_sha256;
  std::string user, host;
  std::string started, finished;  // UTC, RFC 3339; finished "": not yet
  int exit_code = -1;             // -1: not yet
  std::string failed_stage, failed_step, reason;
  nlohmann::json vars, secret_sources;  // what evaluates secret options again
  nlohmann::json deployment;            // see Deployment in deployment.h
  nlohmann::json closing;               // the data of the run.finished event
  std::vector<Input> inputs;            // files of the command line; the pipeline's is the first
};

struct StageRecord {
  int position = 0;  // from 0, in pipeline order; `finally` stages last
  std::string key;   // unique in the run: the stage's id, or ID-2 where it stands twice
  std::string name, uses;
  std::string plugin_file, plugin_id, plugin_version, plugin_sha256;
  std::uint32_t notes_version = 1;
  nlohmann::json options;       // resolved, without secrets; null: not known yet
  nlohmann::json secret_texts;  // JSON Pointer -> expression
  std::vector<Step> steps;      // those that exist with these options
  bool final = false;
  std::int64_t rollback_timeout_ms = 0;  // 0: none
  std::int64_t memory_limit = 0;         // bytes; 0: none
  std::vector<Input> inputs;
  std::vector<std::string> loses;  // what a rollback would lose, in words, by its plan
  StageState state = StageState::pending;
  std::string step;  // the step that was begun last
  unsigned attempt = 0;
  std::string started, finished, reason;

  bool has(Step wanted) const;
};

// What is still known of a run that had a key, and was removed.
struct RemovedRun {
  std::uint64_t id = 0;
  std::string state;  // its last one, by name
};

// `when_begun` is kept only for stages that are put back alone (`on_failure: continue`);
// `when_changed` is what `run` itself reported.
enum class Moment { before, after_rollback, when_begun, when_changed };

class Journal {
 public:
  // Creates the file, or upgrades one of an older schema, of which a copy stays beside it. Throws
  // Error: newer schema, no permission, a run goes on with the older schema; JournalDamaged.
  explicit Journal(const std::string& path, Migrations migrations = journal_migrations);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Reads the whole file, 2 ms a megabyte. Throws JournalDamaged where SQLite finds damage.
  void check() const;

  // --- writing; each call is one durable transaction ---------------------------------------------
  // `facts_before`: what was observed of the stages, by position.
  std::uint64_t create_run(const RunRecord& run, const std::vector<StageRecord>& stages,
                           const std::map<int, std::vector<Fact>>& facts_before = {});
  void save_stage(std::uint64_t run, const StageRecord& stage);  // options that became known
  // with_next: durable with the next call only, which is to follow at once.
  void set_run_state(std::uint64_t run, RunState state, const std::string& failed_stage,
                     const std::string& failed_step, const std::string& reason,
                     bool with_next = false);
  void finish_run(std::uint64_t run, RunState state, int exit_code, const nlohmann::json& closing);
  // A run that ended before its first step: nothing waits for it, and its key is free again.
  void abandon_run(std::uint64_t run, int exit_code);
  // Before a step that changes things: stage, step, attempt and who works on it.
  void begin_step(std::uint64_t run, int position, Step step, unsigned attempt,
                  const JournaledWorker& worker);
  // The stage's new state; forgets its worker.
  void end_step(std::uint64_t run, int position, StageState state, const std::string& reason,
                const std::vector<Output>& outputs, const std::vector<Artifact>& artifacts);
  void set_stage_state(std::uint64_t run, int position, StageState state,
                       const std::string& reason);
  // The pipeline has another limit now; 0: none.
  void set_memory_limit(std::uint64_t run, int position, std::int64_t bytes);
  void remember(std::uint64_t run, int position, const Note& note);
  void save_facts(std::uint64_t run, int position, Moment moment, const std::vector<Fact>& facts);

  // --- removing: first the rows of the runs, then, by the caller, their files ------------------
  void remove_runs(const std::vector<std::uint64_t>& runs);
  // Those whose files may be left, also by a process that was killed meanwhile.
  std::vector<std::uint64_t> removed_runs() const;
  void forget_removed_runs();

  // --- reading
  // --------------------------------------------------------------------------------------
  std::optional<RunRecord> run(std::uint64_t id) const;
  std::optional<RunRecord> run_with_key(const std::string& key) const;
  std::optional<RemovedRun> removed_run_with_key(const std::string& key) const;
  std::optional<RunRecord> last_run() const;
  std::vector<RunRecord> runs() const;  // newest first
  std::optional<RunRecord> last_standing_run() const;  // the newest that `stands`
  // The newest run that is neither finished nor, as the caller knows from the lock, still going on.
  std::optional<RunRecord> unfinished_run() const;
  std::vector<StageRecord> stages(std::uint64_t run) const;
  std::vector<Note> notes(std::uint64_t run, int position) const;
  std::vector<Fact> facts(std::uint64_t run, int position, Moment moment) const;
  std::vector<Output> outputs(std::uint64_t run, int position) const;
  std::vector<Artifact> artifacts(std::uint64_t run, int position) const;
  std::vector<JournaledWorker> workers(std::uint64_t run) const;

 private:
  struct Database;
  enum class Sync { at_once, later };  // later: together with the next write at once
  template <class Work>
  auto guarded(const char* what, Work work, Sync sync = Sync::at_once) const;
  void connect(const std::string& path);
  void create(Migrations migrations);
  void upgrade(Migrations migrations);
  void keep_copy(int version);
  std::vector<RunRecord> select_runs(const std::string& where, std::uint64_t parameter) const;

  std::unique_ptr<Database> database_;
  std::string path_;
};

}  // namespace drydock
