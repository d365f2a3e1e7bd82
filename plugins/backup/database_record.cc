#include "database_record.h"

#include <drydock/stage.hpp>
#include <nlohmann/json.hpp>

namespace drydock::backup {

using nlohmann::json;

std::uint64_t DatabaseRecord::total_rows() const {
  std::uint64_t total = 0;
  for (const auto& table : rows) total += table.second;
  return total;
}

std::string to_note(const DatabaseRecord& record) {
  json note = {{"kind", record.kind},
               {"options", record.options},
               {"at_url", record.at_url},
               {"server", record.server},
               {"taken", record.taken},
               {"seconds", record.seconds},
               {"service", record.service},
               {"container", record.container},
               {"image", record.image},
               {"image_id", record.image_id},
               {"user", record.user},
               {"restore", record.restore},
               {"name", record.name},
               {"create_with", record.create_with},
               {"properties", record.properties},
               {"schema", record.schema},
               {"invalid_indexes", record.invalid_indexes},
               {"revisions", nullptr},
               {"dump", record.dump},
               {"sha256", record.sha256},
               {"bytes", record.bytes},
               {"statements", record.statements},
               {"data", record.data},
               {"rows", record.rows}};
  if (record.revisions) note["revisions"] = *record.revisions;
  return note.dump(2, ' ', false, json::error_handler_t::replace);
}

DatabaseRecord from_note(const std::string& note) {
  try {
    const json from = json::parse(note);
    DatabaseRecord record;
    record.kind = from.value("kind", record.kind);
    record.options = from.value("options", "");
    record.at_url = from.value("at_url", false);
    record.server = from.value("server", "");
    record.taken = from.value("taken", "");
    record.seconds = from.value("seconds", 0.0);
    from.at("service").get_to(record.service);
    from.at("container").get_to(record.container);
    from.at("image").get_to(record.image);
    from.at("image_id").get_to(record.image_id);
    from.at("user").get_to(record.user);
    from.at("restore").get_to(record.restore);
    from.at("name").get_to(record.name);
    from.at("create_with").get_to(record.create_with);
    from.at("properties").get_to(record.properties);
    from.at("schema").get_to(record.schema);
    record.invalid_indexes = from.value("invalid_indexes", "");
    if (!from.at("revisions").is_null()) {
      record.revisions = from.at("revisions").get<std::vector<std::string>>();
    }
    from.at("dump").get_to(record.dump);
    from.at("sha256").get_to(record.sha256);
    from.at("bytes").get_to(record.bytes);
    from.at("statements").get_to(record.statements);
    from.at("data").get_to(record.data);
    from.at("rows").get_to(record.rows);
    return record;
  } catch (const json::exception& e) {
    throw Failed(std::string("the note about a dump cannot be read (") + e.what() +
                 "); the dumps are in this run's folder of the backups");
  }
}

std::string file_name(const std::string& name) {
  static const char digits[] = "0123456789ABCDEF";
  std::string result;
  for (char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-' || (c == '.' && !result.empty());
    if (plain)
      result += c;
    else
      result += {'%', digits[byte >> 4], digits[byte & 15]};
  }
  return result;
}

std::string describe_revisions(const std::optional<std::vector<std::string>>& revisions) {
  if (!revisions) return "no table alembic_version";
  std::string result;
  for (const std::string& one : *revisions) result += (result.empty() ? "" : ", ") + one;
  return result.empty() ? "no revision" : result;
}

}  // namespace drydock::backup
