// What kind of difference there is between two values, told by what they look like.
#pragma once

#include <string>
#include <string_view>

namespace drydock::env_sync {

// One of: "emptied", "set", "boolean", "port", "size up", "size down", "duration up", "duration
// down", "number up", "number down", "URL", "path", "text"; the first that fits, in this order. ""
// when both are the same value (007 and 7, 60s and 60000ms). The name counts for ports and for
// numbers that are durations (TIMEOUT, _SECONDS).
std::string kind_of_difference(std::string_view name, std::string_view before,
                               std::string_view after);

}  // namespace drydock::env_sync
