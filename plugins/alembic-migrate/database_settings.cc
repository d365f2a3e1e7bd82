#include "database_settings.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "env_file.h"

namespace drydock::alembic {
namespace {

// The option's defaults, which are Dify's names.
const std::pair<const char*, const char*> default_names[] = {
    {"type", "DB_TYPE"}, {"user", "DB_USERNAME"}, {"password", "DB_PASSWORD"},
    {"host", "DB_HOST"}, {"port", "DB_PORT"},     {"name", "DB_DATABASE"}};

std::string variable_name(const Call& call, const std::string& what) {
  const std::string named = call.text("/database/env/" + what);
  if (!named.empty()) return named;
  const auto found = std::find_if(std::begin(default_names), std::end(default_names),
                                  [&](const auto& one) { return one.first == what; });
  return found->second;
}

// "": none that this stage can ask.
std::string kind_of(const std::string& type, const std::string& port) {
  if (type.empty()) return port == "3306" ? "mysql" : "postgresql";
  if (type.rfind("postgres", 0) == 0 || type == "pgsql") return "postgresql";
  if (type.rfind("mariadb", 0) == 0) return "mariadb";
  // The latter speak its protocol.
  if (type.rfind("mysql", 0) == 0 || type == "oceanbase" || type == "seekdb") return "mysql";
  return "";
}

}  // namespace

std::optional<DatabaseUrl> url_option(const Call& call) {
  const auto text = call.secret("/database/url");
  if (!text) return std::nullopt;
  DatabaseUrl url = parse_database_url(*text);
  if (const std::string user = call.text("/database/user"); !user.empty()) url.user = user;
  if (const std::string name = call.text("/database/name"); !name.empty()) url.database = name;
  if (url.database.empty()) {
    throw BadOptions("the `url` of the database at " + url.place() +
                     " names no database; add /NAME, or name it with `database`, `name`");
  }
  return url;
}

std::optional<DatabaseUrl> env_settings(const Call& call) {
  std::ifstream stream(call.planned(".env"), std::ios::binary);
  if (!stream) return std::nullopt;
  const EnvFile file = EnvFile::parse(std::string(std::istreambuf_iterator<char>(stream), {}));
  const EnvValues values = evaluate(file);
  const auto value = [&](const std::string& what) -> std::string {
    const std::string_view* found = values.find(variable_name(call, what));
    return found == nullptr ? "" : std::string(*found);
  };
  DatabaseUrl url;
  url.host = value("host");
  if (!url.host.empty() && url.host[0] == '/') url.socket = url.host;
  url.port = value("port");
  url.kind = kind_of(value("type"), url.port);
  if (url.host.empty() || url.kind.empty()) return std::nullopt;
  url.user = value("user");
  url.password = value("password");
  url.database = value("name");
  if (const std::string user = call.text("/database/user"); !user.empty()) url.user = user;
  if (const std::string name = call.text("/database/name"); !name.empty()) url.database = name;
  if (url.port.find_first_not_of("0123456789") != std::string::npos) {
    throw BadOptions(variable_name(call, "port") + " of .env is no port number: " + url.port);
  }
  return url;
}

DatabaseUrl seen_from_here(DatabaseUrl url) {
  if (url.host == "host.docker.internal") url.host = "localhost";
  return url;
}

}  // namespace drydock::alembic
