#include "journal.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "journal_database.h"
#include "json_text.h"
#include "utc_time.h"

namespace drydock {
namespace {

using nlohmann::json;
using soci::into;
using soci::use;

constexpr std::array<std::string_view, 8> run_state_names = {
    "running",   "rolling_back", "done",         "rolled_back",
    "cancelled", "stopped",      "needs_person", "rehearsed"};
constexpr std::array<std::string_view, 8> stage_state_names = {
    "pending", "skipped", "started", "done", "failed", "rolled_back", "settled", "put_back_alone"};

template <class State, std::size_t n>
State state_named(const std::array<std::string_view, n>& names, std::string_view name) {
  for (std::size_t i = 0; i < n; ++i) {
    if (names[i] == name) return static_cast<State>(i);
  }
  throw std::out_of_range("it holds the state '" + std::string(name) + "'");
}

std::string steps_text(const std::vector<Step>& steps) {
  std::string text;
  for (Step step : steps) text += (text.empty() ? "" : " ") + std::string(name_of(step));
  return text;
}

std::vector<Step> steps_from(const std::string& text) {
  std::vector<Step> steps;
  for (Step step : all_steps) {
    if ((" " + text + " ").find(" " + std::string(name_of(step)) + " ") != std::string::npos) {
      steps.push_back(step);
    }
  }
  return steps;
}

void insert_facts(soci::session& sql, std::uint64_t run, int position, Moment moment,
                  const std::vector<Fact>& facts) {
  const int when = static_cast<int>(moment);
  for (const Fact& fact : facts) {
    const int must_return = fact.must_return ? 1 : 0;
    sql << "INSERT INTO facts VALUES (:run, :position, :moment, :name, :value, :must)", use(run),
        use(position), use(when), use(fact.name), use(fact.value), use(must_return);
  }
}

}  // namespace

std::string_view name_of(RunState state) {
  return run_state_names[static_cast<std::size_t>(state)];
}
std::string_view name_of(StageState state) {
  return stage_state_names[static_cast<std::size_t>(state)];
}

bool stands(RunState state) {
  return state != RunState::rolled_back && state != RunState::cancelled &&
         state != RunState::rehearsed;
}

bool StageRecord::has(Step wanted) const {
  return std::find(steps.begin(), steps.end(), wanted) != steps.end();
}

Journal::~Journal() = default;

std::uint64_t Journal::create_run(const RunRecord& run, const std::vector<StageRecord>& stages,
                                  const std::map<int, std::vector<Fact>>& facts_before) {
  return guarded("record the run", [&](soci::session& sql) {
    soci::transaction transaction(sql);
    const std::string state(name_of(run.state)),
        vars = run.vars.dump(), sources = run.secret_sources.dump(),
        deployment = run.deployment.dump(), run_inputs = to_json(run.inputs).dump();
    sql << "INSERT INTO runs (state, key, pipeline, pipeline_file, pipeline_sha256, user, host, "
           "started, finished, exit_code, failed_stage, failed_step, reason, vars, "
           "secret_sources, deployment, closing, inputs) VALUES (:state, :key, :pipeline, :file, "
           ":sha, :user, :host, :started, '', -1, '', '', '', :vars, :sources, :deployment, '{}', "
           ":inputs)",
        use(state), use(run.key), use(run.pipeline), use(run.pipeline_file),
        use(run.pipeline_sha256), use(run.user), use(run.host), use(run.started), use(vars),
        use(sources), use(deployment), use(run_inputs);
    long long id = 0;
    sql << "SELECT last_insert_rowid()", into(id);

    StageRecord s;
    std::string options, secret_texts, steps, inputs, loses;
    int final = 0;
    long long notes_version = 0, rollback_timeout = 0, memory_limit = 0;
    soci::statement insert =
        (sql.prepare
             << "INSERT INTO stages VALUES (:run, :position, :key, :name, :uses, :file, "
                ":id, :version, :sha, :notes_version, :options, :secret_texts, :steps, "
                ":final, :rollback_timeout, :memory_limit, 'pending', '', 0, '', '', '', :inputs, "
                ":loses)",
         use(id), use(s.position), use(s.key), use(s.name), use(s.uses), use(s.plugin_file),
         use(s.plugin_id), use(s.plugin_version), use(s.plugin_sha256), use(notes_version),
         use(options), use(secret_texts), use(steps), use(final), use(rollback_timeout),
         use(memory_limit), use(inputs), use(loses));
    for (const StageRecord& stage : stages) {
      s = stage;
      options = stage.options.dump();
      secret_texts = stage.secret_texts.dump();
      steps = steps_text(stage.steps);
      final = stage.final ? 1 : 0;
      notes_version = stage.notes_version;
      rollback_timeout = stage.rollback_timeout_ms;
      memory_limit = stage.memory_limit;
      inputs = to_json(stage.inputs).dump();
      loses = json(stage.loses).dump();
      insert.execute(true);
    }
    const auto number = static_cast<std::uint64_t>(id);
    for (const auto& [position, facts] : facts_before) {
      insert_facts(sql, number, position, Moment::before, facts);
    }
    transaction.commit();
    return number;
  });
}

void Journal::save_stage(std::uint64_t run, const StageRecord& stage) {
  guarded("record a stage's options", [&](soci::session& sql) {
    const std::string options = stage.options.dump(), secret_texts = stage.secret_texts.dump(),
                      steps = steps_text(stage.steps), inputs = to_json(stage.inputs).dump(),
                      loses = json(stage.loses).dump();
    const long long notes_version = stage.notes_version;
    sql << "UPDATE stages SET plugin_file = :file, plugin_version = :version, "
           "plugin_sha256 = :sha, notes_version = :notes_version, options = :options, secret_texts "
           "= :secret_texts, steps = :steps, "
           "inputs = :inputs, loses = :loses WHERE run = :run AND position = :position",
        use(stage.plugin_file), use(stage.plugin_version), use(stage.plugin_sha256),
        use(notes_version), use(options), use(secret_texts), use(steps), use(inputs), use(loses),
        use(run), use(stage.position);
    return 0;
  });
}

void Journal::set_run_state(std::uint64_t run, RunState state, const std::string& failed_stage,
                            const std::string& failed_step, const std::string& reason,
                            bool with_next) {
  guarded(
      "record the run's state",
      [&](soci::session& sql) {
        const std::string name(name_of(state));
        // What it ended with before, if it had ended, no longer holds.
        sql << "UPDATE runs SET state = :state, failed_stage = :stage, failed_step = :step, "
               "reason = :reason, exit_code = -1 WHERE id = :id",
            use(name), use(failed_stage), use(failed_step), use(reason), use(run);
        return 0;
      },
      with_next ? Sync::later : Sync::at_once);
}

void Journal::finish_run(std::uint64_t run, RunState state, int exit_code, const json& closing) {
  guarded("record the end of the run", [&](soci::session& sql) {
    const std::string name(name_of(state)), now = utc_now(), text = compact(closing);
    sql << "UPDATE runs SET state = :state, finished = :now, exit_code = :code, "
           "closing = :closing WHERE id = :id",
        use(name), use(now), use(exit_code), use(text), use(run);
    return 0;
  });
}

void Journal::abandon_run(std::uint64_t run, int exit_code) {
  guarded("record that the run did not begin", [&](soci::session& sql) {
    const std::string state(name_of(RunState::rolled_back)), now = utc_now();
    sql << "UPDATE runs SET state = :state, finished = :now, exit_code = :code, key = '' "
           "WHERE id = :id",
        use(state), use(now), use(exit_code), use(run);
    return 0;
  });
}

void Journal::begin_step(std::uint64_t run, int position, Step step, unsigned attempt,
                         const JournaledWorker& worker) {
  guarded(
      "record the start of a step",
      [&](soci::session& sql) {
        soci::transaction transaction(sql);
        const std::string name(name_of(step)), now = utc_now(),
                                               start = std::to_string(worker.start_time);
        const int group = worker.group;
        const int tries = static_cast<int>(attempt);
        // Rollback and settle keep the state that run left, so that a second rollback knows what
        // was started.
        if (step == Step::run) {
          sql << "UPDATE stages SET state = 'started', step = :step, attempt = :attempt, "
                 "started = CASE started WHEN '' THEN :now ELSE started END "
                 "WHERE run = :run AND position = :position",
              use(name), use(tries), use(now), use(run), use(position);
        } else {
          sql << "UPDATE stages SET step = :step WHERE run = :run AND position = :position",
              use(name), use(run), use(position);
        }
        sql << "INSERT INTO workers VALUES (:run, :position, :group, :start, :boot)", use(run),
            use(position), use(group), use(start), use(worker.boot_id);
        transaction.commit();
        return 0;
      },
      step == Step::verify ? Sync::later : Sync::at_once);  // verify changes nothing
}

void Journal::end_step(std::uint64_t run, int position, StageState state, const std::string& reason,
                       const std::vector<Output>& outputs, const std::vector<Artifact>& artifacts) {
  guarded(
      "record the end of a step",
      [&](soci::session& sql) {
        soci::transaction transaction(sql);
        const std::string name(name_of(state)), now = utc_now();
        sql << "UPDATE stages SET state = :state, finished = :now, reason = :reason "
               "WHERE run = :run AND position = :position",
            use(name), use(now), use(reason), use(run), use(position);
        sql << "DELETE FROM workers WHERE run = :run AND position = :position", use(run),
            use(position);
        for (const Output& output : outputs) {
          if (output.secret) continue;  // lives only as long as the process
          const int promote = output.promote ? 1 : 0;
          sql << "INSERT OR REPLACE INTO outputs VALUES (:run, :position, :name, :value, :promote)",
              use(run), use(position), use(output.name), use(output.value), use(promote);
        }
        for (const Artifact& artifact : artifacts) {
          sql << "INSERT OR REPLACE INTO artifacts VALUES (:run, :position, :name, :path, :text)",
              use(run), use(position), use(artifact.name), use(artifact.path),
              use(artifact.description);
        }
        transaction.commit();
        return 0;
      },
      Sync::later);
}

void Journal::set_stage_state(std::uint64_t run, int position, StageState state,
                              const std::string& reason) {
  end_step(run, position, state, reason, {}, {});
}

void Journal::set_memory_limit(std::uint64_t run, int position, std::int64_t bytes) {
  guarded("record a stage's memory limit", [&](soci::session& sql) {
    const long long limit = bytes;
    // Nothing is written to the disk where it is the same, which is the rule.
    sql << "UPDATE stages SET memory_limit = :limit WHERE run = :run AND position = :position AND "
           "memory_limit <> :same",
        use(limit), use(run), use(position), use(limit);
    return 0;
  });
}

void Journal::remember(std::uint64_t run, int position, const Note& note) {
  guarded("record a note", [&](soci::session& sql) {
    sql << "INSERT INTO notes (run, position, key, value) VALUES (:run, :position, :key, :value) "
           "ON CONFLICT (run, position, key) DO UPDATE SET value = excluded.value",
        use(run), use(position), use(note.key), use(note.value);
    return 0;
  });
}

void Journal::save_facts(std::uint64_t run, int position, Moment moment,
                         const std::vector<Fact>& facts) {
  guarded("record facts", [&](soci::session& sql) {
    soci::transaction transaction(sql);
    const int when = static_cast<int>(moment);
    sql << "DELETE FROM facts WHERE run = :run AND position = :position AND moment = :moment",
        use(run), use(position), use(when);
    insert_facts(sql, run, position, moment, facts);
    transaction.commit();
    return 0;
  });
}

std::vector<RunRecord> Journal::select_runs(const std::string& where,
                                            std::uint64_t parameter) const {
  return guarded("read the runs", [&](soci::session& sql) {
    std::vector<RunRecord> result;
    RunRecord r;
    std::string state, vars, sources, deployment, closing, inputs;
    soci::statement select =
        (sql.prepare
             << "SELECT id, state, key, pipeline, pipeline_file, pipeline_sha256, user, host, "
                "started, finished, exit_code, failed_stage, failed_step, reason, vars, "
                "secret_sources, deployment, closing, inputs FROM runs WHERE " +
                    where + " ORDER BY id DESC",
         use(parameter), into(r.id), into(state), into(r.key), into(r.pipeline),
         into(r.pipeline_file), into(r.pipeline_sha256), into(r.user), into(r.host),
         into(r.started), into(r.finished), into(r.exit_code), into(r.failed_stage),
         into(r.failed_step), into(r.reason), into(vars), into(sources), into(deployment),
         into(closing), into(inputs));
    select.execute();
    while (select.fetch()) {
      r.state = state_named<RunState>(run_state_names, state);
      r.vars = json::parse(vars);
      r.secret_sources = json::parse(sources);
      r.deployment = json::parse(deployment);
      r.closing = json::parse(closing);
      r.inputs = inputs_from_json(json::parse(inputs));
      result.push_back(r);
    }
    return result;
  });
}

std::optional<RunRecord> Journal::run_with_key(const std::string& key) const {
  const long long id = guarded("look for a run", [&](soci::session& sql) {
    long long found = 0;
    sql << "SELECT id FROM runs WHERE key = :key AND key <> ''", use(key), into(found);
    return found;
  });
  return id == 0 ? std::nullopt : run(static_cast<std::uint64_t>(id));
}

std::optional<RunRecord> Journal::run(std::uint64_t id) const {
  const std::vector<RunRecord> found = select_runs("id = :id", id);
  return found.empty() ? std::nullopt : std::optional(found.front());
}

std::optional<RunRecord> Journal::last_run() const {
  const std::vector<RunRecord> found =
      select_runs("id > :zero AND id = (SELECT max(id) FROM runs)", 0);
  return found.empty() ? std::nullopt : std::optional(found.front());
}

std::vector<RunRecord> Journal::runs() const { return select_runs("id > :zero", 0); }

std::optional<RunRecord> Journal::last_standing_run() const {
  std::string standing;
  for (std::size_t i = 0; i < run_state_names.size(); ++i) {
    if (!stands(static_cast<RunState>(i))) continue;
    standing += (standing.empty() ? "'" : ", '") + std::string(run_state_names[i]) + "'";
  }
  const std::vector<RunRecord> found = select_runs(
      "id > :zero AND id = (SELECT max(id) FROM runs WHERE state IN (" + standing + "))", 0);
  return found.empty() ? std::nullopt : std::optional(found.front());
}

std::optional<RunRecord> Journal::unfinished_run() const {
  const std::vector<RunRecord> found =
      select_runs("id > :zero AND state IN ('running', 'rolling_back')", 0);
  return found.empty() ? std::nullopt : std::optional(found.front());
}

std::vector<StageRecord> Journal::stages(std::uint64_t run) const {
  return guarded("read the stages", [&](soci::session& sql) {
    std::vector<StageRecord> result;
    StageRecord s;
    std::string options, secret_texts, steps, state, inputs, loses;
    int final = 0, attempt = 0;
    long long notes_version = 0, rollback_timeout = 0, memory_limit = 0;
    soci::statement select =
        (sql.prepare
             << "SELECT position, key, name, uses, plugin_file, plugin_id, "
                "plugin_version, plugin_sha256, notes_version, options, secret_texts, "
                "steps, final, rollback_timeout_ms, memory_limit, state, step, attempt, started, "
                "finished, reason, inputs, loses FROM stages WHERE run = :run ORDER BY position",
         use(run), into(s.position), into(s.key), into(s.name), into(s.uses), into(s.plugin_file),
         into(s.plugin_id), into(s.plugin_version), into(s.plugin_sha256), into(notes_version),
         into(options), into(secret_texts), into(steps), into(final), into(rollback_timeout),
         into(memory_limit), into(state), into(s.step), into(attempt), into(s.started),
         into(s.finished), into(s.reason), into(inputs), into(loses));
    select.execute();
    while (select.fetch()) {
      s.inputs = inputs_from_json(json::parse(inputs));
      s.loses = json::parse(loses).get<std::vector<std::string>>();
      s.notes_version = static_cast<std::uint32_t>(notes_version);
      s.options = json::parse(options);
      s.secret_texts = json::parse(secret_texts);
      s.steps = steps_from(steps);
      s.final = final != 0;
      s.rollback_timeout_ms = rollback_timeout;
      s.memory_limit = memory_limit;
      s.state = state_named<StageState>(stage_state_names, state);
      s.attempt = static_cast<unsigned>(attempt);
      result.push_back(s);
    }
    return result;
  });
}

std::vector<Note> Journal::notes(std::uint64_t run, int position) const {
  return guarded("read notes", [&](soci::session& sql) {
    std::vector<Note> result;
    Note note;
    soci::statement select = (sql.prepare << "SELECT key, value FROM notes WHERE run = :run AND "
                                             "position = :position ORDER BY sequence",
                              use(run), use(position), into(note.key), into(note.value));
    select.execute();
    while (select.fetch()) result.push_back(note);
    return result;
  });
}

std::vector<Fact> Journal::facts(std::uint64_t run, int position, Moment moment) const {
  return guarded("read facts", [&](soci::session& sql) {
    std::vector<Fact> result;
    Fact fact;
    int must_return = 0;
    const int when = static_cast<int>(moment);
    soci::statement select =
        (sql.prepare << "SELECT name, value, must_return FROM facts WHERE run = :run AND "
                        "position = :position AND moment = :moment ORDER BY rowid",
         use(run), use(position), use(when), into(fact.name), into(fact.value), into(must_return));
    select.execute();
    while (select.fetch()) {
      fact.must_return = must_return != 0;
      result.push_back(fact);
    }
    return result;
  });
}

std::vector<Output> Journal::outputs(std::uint64_t run, int position) const {
  return guarded("read outputs", [&](soci::session& sql) {
    std::vector<Output> result;
    Output output;
    int promote = 0;
    soci::statement select =
        (sql.prepare << "SELECT name, value, promote FROM outputs WHERE run = :run AND "
                        "position = :position ORDER BY name",
         use(run), use(position), into(output.name), into(output.value), into(promote));
    select.execute();
    while (select.fetch()) {
      output.promote = promote != 0;
      result.push_back(output);
    }
    return result;
  });
}

std::vector<Artifact> Journal::artifacts(std::uint64_t run, int position) const {
  return guarded("read artifacts", [&](soci::session& sql) {
    std::vector<Artifact> result;
    Artifact artifact;
    soci::statement select =
        (sql.prepare << "SELECT name, path, description FROM artifacts WHERE run = :run AND "
                        "position = :position ORDER BY name",
         use(run), use(position), into(artifact.name), into(artifact.path),
         into(artifact.description));
    select.execute();
    while (select.fetch()) result.push_back(artifact);
    return result;
  });
}

std::vector<JournaledWorker> Journal::workers(std::uint64_t run) const {
  return guarded("read workers", [&](soci::session& sql) {
    std::vector<JournaledWorker> result;
    int group = 0;
    std::string start, boot;
    soci::statement select =
        (sql.prepare << "SELECT process_group, start_time, boot_id FROM workers WHERE run = :run",
         use(run), into(group), into(start), into(boot));
    select.execute();
    while (select.fetch()) result.push_back({group, std::stoull(start), boot});
    return result;
  });
}

}  // namespace drydock
