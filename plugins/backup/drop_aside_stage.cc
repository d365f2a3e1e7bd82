#include "drop_aside_stage.h"

#include <algorithm>
#include <map>
#include <memory>

#include "old_server.h"
#include "set_aside.h"

using namespace drydock::backup;
using drydock::Call;
using drydock::Failed;

namespace {

// As it runs now: nothing is started to drop something.
std::unique_ptr<DatabaseServer> server_of(const Call& call, const DatabaseAside& aside) {
  const DatabaseRecord& record = aside.record;
  if (!record.at_url && !running_container(call, record)) {
    throw Failed("service " + record.service + " does not run, so that database " + aside.database +
                 " cannot be dropped; start it and repeat, or, where the "
                 "database is gone, remove " +
                 aside.file);
  }
  return present_server(call, record, "");
}

}  // namespace

void DropAside::run(Call& call) {
  const std::vector<std::string> only = call.texts("/only");
  std::map<std::pair<std::string, std::string>, std::unique_ptr<DatabaseServer>> servers;
  for (const DatabaseAside& aside : databases_aside(call)) {
    if (std::find(only.begin(), only.end(), aside.id) == only.end()) continue;
    auto& server = servers[{aside.record.service, aside.record.options}];
    if (!server) server = server_of(call, aside);
    server->drop(call, aside.database);
    forget_database_aside(call, aside.database);
    call.info("dropped database " + aside.database + " of " + server->description());
  }
}
