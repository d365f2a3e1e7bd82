#include "rehearsal_record.h"

#include <cstdio>
#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "digest.h"
#include "file_store.h"
#include "size_words.h"

namespace drydock::alembic {
namespace {

using Json = nlohmann::json;

std::string folder(const Call& call) {
  return std::filesystem::path(call.next_dir()).parent_path().string() + "/rehearsals";
}

std::string file_of(const Call& call, const std::string& database, const std::string& from,
                    const std::string& to) {
  Sha256 hash;
  hash.update(database + "\n" + from + "\n" + to);
  return folder(call) + "/" + hash.finish_hex().substr(0, 32) + ".json";
}

}  // namespace

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char text[16];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d", &utc)};
}

void keep_rehearsal(const Call& call, const Rehearsal& one) {
  files::make_directories(folder(call));
  const Json document = {{"database", one.database}, {"from", one.from},       {"to", one.to},
                         {"day", one.day},           {"seconds", one.seconds}, {"bytes", one.bytes}};
  files::write(file_of(call, one.database, one.from, one.to),
               document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

std::optional<Rehearsal> find_rehearsal(const Call& call, const std::string& database,
                                        const std::string& from, const std::string& to) {
  try {
    const auto text = files::read_if_present(file_of(call, database, from, to));
    if (!text) return std::nullopt;
    const Json document = Json::parse(*text);
    Rehearsal one;
    one.database = database;
    one.from = from;
    one.to = to;
    document.at("day").get_to(one.day);
    document.at("seconds").get_to(one.seconds);
    document.at("bytes").get_to(one.bytes);
    return one;
  } catch (const std::exception& e) {
    call.debug(std::string("what a rehearsal measured cannot be read: ") + e.what());
    return std::nullopt;
  }
}

std::string shown_seconds(double seconds) {
  char text[48];
  if (seconds < 10) {
    std::snprintf(text, sizeof text, "%.1f s", seconds);
  } else if (seconds < 120) {
    std::snprintf(text, sizeof text, "%.0f s", seconds);
  } else {
    const auto whole = static_cast<long long>(seconds);
    std::snprintf(text, sizeof text, "%lld min %lld s", whole / 60, whole % 60);
  }
  return text;
}

std::string describe(const Rehearsal& one) {
  return "rehearsed " + one.day + " in " + shown_seconds(one.seconds) + " on " +
         size_words(one.bytes);
}

}  // namespace drydock::alembic
