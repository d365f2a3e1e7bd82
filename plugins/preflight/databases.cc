#include "databases.h"

#include <algorithm>
#include <cstdlib>

#include "postgres_container.h"

namespace drydock::preflight {
namespace {

using compose::Container;
using compose::Mount;

constexpr std::chrono::seconds database_patience(30);

std::int64_t first_number(const std::string& text) {
  char* end = nullptr;
  const long long number = std::strtoll(text.c_str(), &end, 10);
  return end == text.c_str() || number < 0 ? -1 : number;
}

std::int64_t ask(const Call& call, const Container& container, std::vector<std::string> command) {
  Process process;
  process.arguments = {"docker", "exec", container.id};
  process.arguments.insert(process.arguments.end(), command.begin(), command.end());
  process.timeout = database_patience;
  const Captured captured = call.capture(process);
  return captured.exit.ok() ? first_number(captured.out) : -1;
}

std::string variable(const Container& container, const std::string& name, const char* otherwise) {
  const auto found = container.environment.find(name);
  return found == container.environment.end() || found->second.empty() ? otherwise : found->second;
}

const Mount* data_mount(const Container& container) {
  for (const Mount& mount : container.mounts) {
    if (mount.writable && !mount.held().empty()) return &mount;
  }
  return nullptr;
}

std::int64_t size_of(const Call& call, const Container& container, const Mount* data) {
  if (looks_like_postgres(container)) {
    const std::string user = variable(container, "POSTGRES_USER", "postgres");
    const std::int64_t bytes =
        ask(call, container,
            {"psql", "-XAtq", "-U", user, "-d", variable(container, "POSTGRES_DB", user.c_str()),
             "-c", "SELECT sum(pg_database_size(oid))::bigint FROM pg_database"});
    if (bytes >= 0) return bytes;
  }
  if (data == nullptr) return -1;
  const std::int64_t kibibytes = ask(call, container, {"du", "-sk", data->target});
  return kibibytes < 0 ? -1 : kibibytes * 1024;
}

}  // namespace

bool looks_like_a_database(const Container& container) {
  if (looks_like_postgres(container)) return true;
  const std::string name = container.image.substr(container.image.rfind('/') + 1);
  return (name.rfind("mysql", 0) == 0 || name.rfind("mariadb", 0) == 0) &&
         data_mount(container) != nullptr;
}

std::vector<DatabaseSize> database_sizes(const Call& call, const std::vector<Container>& here,
                                         const std::vector<std::string>& services) {
  std::vector<DatabaseSize> result;
  for (const Container& one : here) {
    if (!one.serves() || !one.runs()) continue;
    const bool named = std::find(services.begin(), services.end(), one.service) != services.end();
    if (services.empty() ? !looks_like_a_database(one) : !named) continue;
    const Mount* data = data_mount(one);
    result.push_back({one.service, size_of(call, one, data),
                      data != nullptr && data->type == "bind" ? data->source : ""});
  }
  return result;
}

}  // namespace drydock::preflight
