#include "mariadb_trial.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "mariadb_copy.h"
#include "mariadb_dump.h"
#include "part_file.h"
#include "set_aside.h"

namespace drydock::backup {

namespace {

bool starts_with(const std::string& text, const char* prefix) { return text.rfind(prefix, 0) == 0; }

// Line by line, which a row never spans: the clients write its line breaks as \n.
class EventSection {
 public:
  // Whether the line is of the section.
  bool holds(const std::string& line) {
    if (starts_with(line, "DELIMITER ")) in_body_ = line != "DELIMITER ;";
    if (in_body_) return inside_;  // of a routine, which may hold anything
    if (starts_with(line, "-- Dumping events for database")) {
      inside_ = true;
    } else if (inside_ && starts_with(line, "-- ")) {
      inside_ = false;
    }
    return inside_;
  }

 private:
  bool inside_ = false, in_body_ = false;
};

}  // namespace

bool copy_without_events(const std::string& from, const std::string& to) {
  bool any = false;
  {
    std::ifstream input(from, std::ios::binary);
    EventSection section;
    for (std::string line; !any && std::getline(input, line);) {
      any = section.holds(line) && starts_with(line, "DELIMITER ");
    }
    if (input.bad()) throw Failed("the dump " + from + " cannot be read to its end");
  }
  if (!any) return false;
  std::ifstream input(from, std::ios::binary);
  std::ofstream output(to, std::ios::binary | std::ios::trunc);
  EventSection section;
  for (std::string line; std::getline(input, line);) {
    if (!section.holds(line)) output << line << "\n";
  }
  output.flush();
  if (input.bad()) throw Failed("the dump " + from + " cannot be read to its end");
  if (!output) throw Failed(to + " cannot be written: " + std::strerror(errno));
  return true;
}

void load_dump(const Call& call, const MariadbServer& server, const std::string& file,
               const std::string& into) {
  Process process = mariadb_command(server, server.client(),
                                    {"--batch", "--binary-mode", "--max-allowed-packet=1G",
                                     "--default-character-set=utf8mb4", "--database=" + into});
  process.input_file = file;
  std::string errors;
  process.on_line = [&](Stream, std::string_view line) { errors.append(line).append("\n"); };
  const Exit exit = call.run(process);
  if (exit.ok()) return;
  throw Failed("restoring " + file + " into database " + into + " of " + server.description +
               " failed: " + (errors.empty() ? exit.describe() : mariadb_error(errors)));
}

void load_on_trial(const Call& call, const MariadbServer& server, const std::string& folder,
                   const DatabaseRecord& record, const std::string& scratch) {
  std::string file = folder + "/" + record.dump;
  PartFile without_events(call.private_dir() + "/trial-" + file_name(record.name) + ".sql");
  if (copy_without_events(file, without_events.path())) file = without_events.path();
  drop_database(call, server, scratch);  // what an interrupted attempt left
  note_database_aside(call, record, scratch, -1);
  create_database(call, server, scratch, record.create_with);
  try {
    load_dump(call, server, file, scratch);
  } catch (const Failed&) {
    drop_database(call, server, scratch);
    forget_database_aside(call, scratch);
    throw;
  }
  const DumpContent wanted = read_dump(file, MariadbDumpReader::Rows::hash);
  const DumpContent found = read_database(call, server, scratch, Events::left_out);
  std::string differs;
  for (const auto& [table, rows] : wanted.rows) {
    const auto there = found.rows.find(table);
    const std::uint64_t now = there == found.rows.end() ? 0 : there->second;
    if (now != rows && differs.empty()) {
      differs =
          "rows of " + table + " " + std::to_string(now) + ", dumped were " + std::to_string(rows);
    }
  }
  if (differs.empty() && found.data != wanted.data) differs = "the rows' content";
  if (differs.empty() && found.counters != wanted.counters) differs = "an AUTO_INCREMENT";
  if (differs.empty() && found.statements != wanted.statements) differs = "the schema";
  if (!differs.empty()) {
    throw Failed("database " + record.name + ": what was restored from " + record.dump +
                 " differs from what was dumped: " + differs + "; it is kept as database " +
                 scratch + ", and " + record.name + " was left alone");
  }
  drop_database(call, server, scratch);
  forget_database_aside(call, scratch);
}

}  // namespace drydock::backup
