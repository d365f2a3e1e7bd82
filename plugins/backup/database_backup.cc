#include "database_backup.h"

#include <algorithm>
#include <cctype>
#include <cstdio>

#include "file_store.h"
#include "manifest.h"
#include "off_site.h"
#include "parts.h"

namespace drydock::backup {
namespace {

std::string output_name(const std::string& what, const std::string& database) {
  std::string name = what + "_" + database;
  std::replace_if(
      name.begin(), name.end(),
      [](unsigned char c) { return c >= 0x80 || (std::isalnum(c) == 0 && c != '_' && c != '-'); },
      '_');
  return name;
}

void report(const Call& call, const DatabaseServer& server, const DatabaseRecord& record,
            bool first) {
  const std::string file = call.private_dir() + "/" + record.dump;
  const std::string rows = std::to_string(record.total_rows()) + " rows in " +
                           std::to_string(record.rows.size()) + " tables";
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.1f s", record.seconds);
  call.info("dumped database " + record.name + " of " + shown_place(record) + ": " +
            shown_bytes(record.bytes) + " in " + seconds + ", " + rows + ", revision " +
            describe_revisions(record.revisions));
  const std::string reader =
      record.kind == "postgresql" ? " (pg_restore)" : "";  // the other one is plain SQL
  call.artifact("dump " + record.key(), file,
                server.product() + " dump" + reader + " of database " + record.name + " of " +
                    shown_place(record) + ", " + shown_bytes(record.bytes) + ", " + rows +
                    ", sha256 " + record.sha256);
  call.output(output_name("dump", record.name), file);
  call.output(output_name("sha256", record.name), record.sha256);
  if (!first) return;
  call.output("dump", file);
  call.output("sha256", record.sha256);
}

// All that says what the dump is, once it is there.
void note_dump(const Call& call, const DatabaseRecord& record) {
  // file_name() leaves no '+'.
  write_manifest(call,
                 file_name(record.service) + "+" + file_name(record.name) + attempt_suffix(call),
                 {record.kind,
                  record.name,
                  shown_place(record),
                  record.server,
                  record.revisions,
                  record.rows,
                  record.taken,
                  record.seconds,
                  {{record.dump, record.bytes, record.sha256}},
                  to_note(record)});
  call.remember("dump/" + record.key(), to_note(record));
}

}  // namespace

void keep_model(const Call& call) {
  if (call.model_before().empty()) return;
  files::write(call.private_dir() + "/" + kept_model, files::read(call.model_before()));
}

std::string shown_place(const DatabaseRecord& record) {
  return (record.at_url ? "" : "service ") + record.service;
}

DatabaseRecord new_record(const Call& call, const DatabaseServer& server, const std::string& place,
                          const compose::Container* container, const std::string& options,
                          const std::string& database) {
  DatabaseRecord record;
  record.kind = server.kind();
  record.options = options;
  record.at_url = container == nullptr;
  record.service = place;
  if (container != nullptr) {
    record.container = container->id;
    record.image = container->image;
    record.image_id = container->image_id;
  }
  record.user = server.user();
  record.restore = restore_policy(call);
  record.name = database;
  record.dump = "databases/" + file_name(place) + "/" + file_name(database) + attempt_suffix(call) +
                server.dump_suffix();
  return record;
}

void back_up(const Call& call, const DatabaseServer& server, DatabaseRecord& record, bool first) {
  server.dump(call, record);
  note_dump(call, record);
  call.informational_fact("database." + record.name + ".rows", rows_text(record.rows));
  report(call, server, record, first);
  send_copy(call, record.dump);
}

}  // namespace drydock::backup
