// The time as journals, events and locks write it.
#pragma once

#include <cstdint>
#include <string>

namespace drydock {

// Now, in UTC, RFC 3339 with milliseconds: "2026-11-23T17:16:18.813Z".
std::string utc_now();
// The same of a time in milliseconds since the epoch.
std::string utc_time(std::int64_t milliseconds);

// Milliseconds since the epoch of a time that utc_now() wrote, also without its fraction; 0 when it
// cannot be read.
std::int64_t utc_milliseconds(const std::string& time);

}  // namespace drydock
