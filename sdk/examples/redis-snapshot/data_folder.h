// The folder in which a Redis keeps its data, and how a snapshot gets into it while the server is
// stopped.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

// Where the old server looks when it starts. With AOF on it ignores the RDB: since version 7 it
// reads a folder with a manifest, before that one file, which may begin with an RDB.
struct DataLayout {
  enum class Aof { none, file, folder };
  Aof aof = Aof::none;
  std::string dbfilename = "dump.rdb";
  std::string appendfilename = "appendonly.aof";
  std::string appenddirname = "appendonlydir";

  // One line, for a note.
  std::string text() const;
  static DataLayout parse(const std::string& text);
};

// Moves what is there aside, as NAME.failed-SUFFIX, and puts the snapshot in its place. Both the
// RDB and the AOF are moved, whichever the old server reads: an AOF that a failed release began
// would be loaded by the next one. Safe to repeat after a kill, as long as the server has not
// started since. Throws std::runtime_error.
void put_back(const std::string& folder, const DataLayout& layout, const std::string& snapshot,
              const std::string& suffix, const std::function<void(std::uint64_t)>& progress);
