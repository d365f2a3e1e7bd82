// The journal's file: its tables, and how it comes to be. journal.cc does the rest.
#pragma once

#include <array>
#include <string>

namespace drydock {

// A table per kind of thing. Texts of plugins are masked before they come here; notes are any
// bytes.
inline constexpr std::array<const char*, 8> journal_schema = {
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
};

// Makes an empty file (0600) where there is none. Throws Error.
void create_private_file(const std::string& path);

}  // namespace drydock
