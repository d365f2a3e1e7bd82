// The database server as it was before the run, running again.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "compose_engine.h"
#include "database_record.h"
#include "database_server.h"
#include "drydock/stage.hpp"

namespace drydock::backup {

// The server on which the record's database was dumped: its container as it runs, else started
// again, else made anew by Compose from `model` (the resolved model of before the run), from the
// noted image; or the one at its URL. Refuses to start it beside another server on the same data.
// Waits until it accepts connections, and leaves it running.
std::unique_ptr<DatabaseServer> old_server(const Call&, const DatabaseRecord& record,
                                           const std::string& model,
                                           std::chrono::milliseconds patience);

// The same for a look and for a restore by hand, where what runs now counts first: the service's
// container as it runs, whichever it is by now. Else as above, from the model in `folder`; "": then
// it throws Failed, as a look starts nothing.
std::unique_ptr<DatabaseServer> present_server(const Call&, const DatabaseRecord& record,
                                               const std::string& folder);

// The container in which the database runs now: of its service, or of another one that the entry of
// `databases` names, as a service may have been renamed since. nullopt: none, or it is at a URL.
std::optional<compose::Container> running_container(const Call&, const DatabaseRecord& record);

}  // namespace drydock::backup
