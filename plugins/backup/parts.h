// The three things that the stage keeps, each with the steps of the stage. Each does nothing when
// its option is absent.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "drydock/stage.hpp"

namespace drydock::backup {

struct DatabasePart {
  static void observe(const Call&);
  // Throws Unknown, after all changes were reported, when a database does not run yet.
  static void plan(const Call&);
  // check_space is told how many bytes the dumps may need, before the first one.
  static void run(const Call&, const std::function<void(std::int64_t)>& check_space);
  static void verify(const Call&);
  static void rollback(const Call&);
};

struct SqlitePart {
  static void observe(const Call&);
  static void plan(const Call&);
  static std::int64_t bytes_needed(const Call&);
  static void run(const Call&);
  static void verify(const Call&);
  static void rollback(const Call&);
};

// Keeps the i-th SQLite file of a stage, with its manifest and note.
void save_sqlite(const Call&, const std::string& path, std::size_t i);

struct FilePart {
  static void observe(const Call&);
  static void plan(const Call&);
  static std::int64_t bytes_needed(const Call&);
  static void run(const Call&);
  static void verify(const Call&);
  static void rollback(const Call&);
};

// Half a backup is none: throws Failed when the private folder's disk has less free.
void check_space(const Call&, std::int64_t needed);
// What a killed attempt was writing.
void remove_part_files(const Call&);
// "" in a first attempt, ".2" in a second one: what an earlier attempt kept is never overwritten.
std::string attempt_suffix(const Call&);
// What stood in the way of putting something back, below the private folder.
constexpr auto aside_folder = "moved-aside";
std::string restore_policy(const Call&);
std::chrono::milliseconds patience(const Call&);
std::string joined(const std::vector<std::string>& items);  // with commas
std::string shown_bytes(std::int64_t bytes);
// "notes=3, users=17", as informational facts have it; tables of PostgreSQL's schema public without
// it.
std::string rows_text(const std::map<std::string, std::uint64_t>& rows);

}  // namespace drydock::backup
