// A database outside the deployment, reached with this machine's own clients.
#pragma once

#include <memory>

#include "database_server.h"
#include "database_url.h"
#include "drydock/stage.hpp"

namespace drydock::backup {

// Throws Failed when this machine lacks the clients.
std::unique_ptr<DatabaseServer> server_at(const Call&, const DatabaseUrl& url);

}  // namespace drydock::backup
