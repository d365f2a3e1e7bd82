// The journal's file: its tables and how they change from version to version, how it comes to be,
// and what is said when it cannot be used. journal.cc does the rest.
#pragma once

#include <array>
#include <span>
#include <string>

#include "error.h"

namespace drydock {

// A table per kind of thing. Texts of plugins are masked before they come here; notes are any
// bytes.
inline constexpr std::array<const char*, 9> journal_schema = {
    R"(CREATE TABLE runs (
         id INTEGER PRIMARY KEY AUTOINCREMENT, state TEXT NOT NULL, key TEXT NOT NULL,
         pipeline TEXT NOT NULL, pipeline_file TEXT NOT NULL, pipeline_sha256 TEXT NOT NULL,
         user TEXT NOT NULL, host TEXT NOT NULL, started TEXT NOT NULL, finished TEXT NOT NULL,
         exit_code INTEGER NOT NULL, failed_stage TEXT NOT NULL, failed_step TEXT NOT NULL,
         reason TEXT NOT NULL, vars TEXT NOT NULL, secret_sources TEXT NOT NULL,
         deployment TEXT NOT NULL, closing TEXT NOT NULL, inputs TEXT NOT NULL))",
    R"(CREATE UNIQUE INDEX runs_by_key ON runs (key) WHERE key <> '')",
    R"(CREATE TABLE stages (
         run INTEGER NOT NULL REFERENCES runs(id), position INTEGER NOT NULL, key TEXT NOT NULL,
         name TEXT NOT NULL, uses TEXT NOT NULL, plugin_file TEXT NOT NULL,
         plugin_id TEXT NOT NULL, plugin_version TEXT NOT NULL, plugin_sha256 TEXT NOT NULL,
         notes_version INTEGER NOT NULL, options TEXT NOT NULL, secret_texts TEXT NOT NULL,
         steps TEXT NOT NULL, final INTEGER NOT NULL, rollback_timeout_ms INTEGER NOT NULL,
         memory_limit INTEGER NOT NULL,
         state TEXT NOT NULL, step TEXT NOT NULL, attempt INTEGER NOT NULL,
         started TEXT NOT NULL, finished TEXT NOT NULL, reason TEXT NOT NULL,
         inputs TEXT NOT NULL, loses TEXT NOT NULL, PRIMARY KEY (run, position)))",
    R"(CREATE TABLE notes (
         run INTEGER NOT NULL, position INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
         sequence INTEGER PRIMARY KEY AUTOINCREMENT, UNIQUE (run, position, key)))",
    R"(CREATE TABLE facts (
         run INTEGER NOT NULL, position INTEGER NOT NULL, moment INTEGER NOT NULL,
         name TEXT NOT NULL, value TEXT NOT NULL, must_return INTEGER NOT NULL))",
    R"(CREATE TABLE outputs (
         run INTEGER NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
         promote INTEGER NOT NULL, PRIMARY KEY (run, position, name)))",
    R"(CREATE TABLE artifacts (
         run INTEGER NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL, path TEXT NOT NULL,
         description TEXT NOT NULL, PRIMARY KEY (run, position, name)))",
    R"(CREATE TABLE workers (
         run INTEGER NOT NULL, position INTEGER NOT NULL, process_group INTEGER NOT NULL,
         start_time TEXT NOT NULL, boot_id TEXT NOT NULL))",
    // Runs that are gone, as long as files of theirs may be left.
    R"(CREATE TABLE removed (id INTEGER PRIMARY KEY))",
};

// A key stays taken when its run is removed: whoever asks for it again, such as a rollout that was
// left for a year, must not get a second run.
inline constexpr std::array<const char*, 1> journal_removed_keys = {
    R"(CREATE TABLE removed_keys (key TEXT PRIMARY KEY, id INTEGER NOT NULL, state TEXT NOT NULL))"};

// What brings the schema to `version` from the one before.
struct Migration {
  int version;
  std::span<const char* const> statements;
};
// In the order of their versions, the first of which makes the tables.
using Migrations = std::span<const Migration>;
inline constexpr std::array<Migration, 2> journal_migrations = {
    {{1, journal_schema}, {2, journal_removed_keys}}};

// What the journal says cannot be relied upon. The sentence has the way out.
class JournalDamaged : public Error {
  using Error::Error;
};

// Is there a journal? Throws JournalDamaged when something else is in its place: without a look
// into it, since SQLite takes an empty file for a new one and removes what its -wal still holds.
bool journal_exists(const std::string& path);
// The file in which a journal is made before it is one, and the copy that stays when a journal of
// this version is upgraded.
std::string unfinished_file(const std::string& path);
std::string kept_copy_file(const std::string& path, int version);
// The name by which SQLite opens it. A journal that is at rest on a read-only file system can only
// be opened when SQLite is told that nobody writes it: there is nowhere for its -wal and -shm
// files.
std::string name_to_open(const std::string& path);
// An empty file (0600), in place of what a kill left. Throws Error.
void create_unfinished_file(const std::string& path);
// Gives a whole file, which no connection has open, its name. On disk when it returns.
void publish_file(const std::string& path, const std::string& as);

// The highest number of a run that has a folder beside the journal. A new journal goes on from
// there, so that it never mixes its runs' files with those of one that was moved aside.
std::uint64_t highest_run_beside(const std::string& path);

[[noreturn]] void throw_damaged(const std::string& path, const std::string& finding);
// By SQLite's primary result code: what it means for a person, and the remedy.
[[noreturn]] void throw_failure(const std::string& path, const std::string& what, int code,
                                const std::string& message);

}  // namespace drydock
