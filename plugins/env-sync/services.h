// Services that a value names, and the services of a Compose model.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace drydock::env_sync {

// The hosts in a value: the value itself, `host:port`, the hosts of URLs, each member of a list
// with commas or blanks.
std::set<std::string> hosts_in(std::string_view value);

// The first of `services` that the value names; "" when it names none. What is no URL and has no
// port counts only where `bare` says so.
std::string service_in(std::string_view value, const std::set<std::string>& services, bool bare);
// The same, as the variable's name lets one expect.
std::string service_named(std::string_view name, std::string_view value,
                          const std::set<std::string>& services);

// A host in the value that may be a service, but is none of `services`, while the template's value
// names one of them; "" when there is none.
std::string no_service_any_more(std::string_view value, std::string_view of_template,
                                const std::set<std::string>& services);

// The names under `services` of a model in JSON. Throws std::runtime_error.
std::set<std::string> services_of_model(const std::string& json);

}  // namespace drydock::env_sync
