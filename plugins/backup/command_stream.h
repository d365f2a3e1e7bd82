// What a command prints, taken as it comes: into a file, into a hash, and to who else reads it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "drydock/stage.hpp"

namespace drydock::backup {

struct Streamed {
  Exit exit;
  std::string errors;  // its standard error
  std::int64_t bytes = 0;
  std::string sha256;
};

// Runs the command; its standard output goes into a new file `path` (0600; "": none), and to
// `reader` in pieces of up to 256 KiB, on a thread of its own. Progress in bytes is reported.
// Throws Failed when the file cannot be written, which ends the command too.
Streamed stream(const Call& call, Process process, const std::string& path,
                const std::function<void(std::string_view)>& reader = {});

}  // namespace drydock::backup
