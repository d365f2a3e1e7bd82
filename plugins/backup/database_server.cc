#include "database_server.h"

#include "digest.h"

namespace drydock::backup {

std::string difference(const DatabaseRecord& record, const DatabaseFacts& facts,
                       const DumpContent& content) {
  const auto differs = [](const std::string& what, const std::string& now,
                          const std::string& noted) {
    return what + " " + now + ", noted was " + noted;
  };
  if (facts.revisions != record.revisions) {
    return differs("revision", describe_revisions(facts.revisions),
                   describe_revisions(record.revisions));
  }
  if (facts.schema != record.schema) return differs("schema", facts.schema, record.schema);
  for (const auto& [table, rows] : record.rows) {
    const auto found = content.rows.find(table);
    const std::uint64_t now = found == content.rows.end() ? 0 : found->second;
    if (now != rows) {
      return differs("rows of " + table, std::to_string(now), std::to_string(rows));
    }
  }
  for (const auto& [table, counter] : record.counters) {
    const auto found = content.counters.find(table);
    const std::uint64_t now = found == content.counters.end() ? 1 : found->second;
    if (now != counter) {
      return differs("AUTO_INCREMENT of " + table, std::to_string(now), std::to_string(counter));
    }
  }
  return content.data == record.data ? "" : differs("data", content.data, record.data);
}

void check_dump(const std::string& folder, const DatabaseRecord& record) {
  const std::string file = folder + "/" + record.dump;
  const std::string found = sha256_file(file);
  if (found != record.sha256) {
    throw Failed("the dump " + file + " is not the one that was taken: its SHA-256 is " + found +
                 ", noted was " + record.sha256);
  }
}

}  // namespace drydock::backup
