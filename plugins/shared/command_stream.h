// What a command prints, taken as it comes: into a file, into a hash, and to who else reads it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "drydock/stage.hpp"

namespace drydock {

struct Streamed {
  Exit exit;
  std::string errors;  // its standard error, and that the file's disk is full
  std::int64_t bytes = 0;
  std::string sha256;
};

// How the output comes into its file. followed: the command writes the file itself, from its
// beginning to its end. piped: it goes back in a file that lets it (pg_dump completes its table of
// contents), so it gets a pipe, and we write.
enum class Output { followed, piped };

// Runs the command; its standard output goes into the file `path` (0600), or nowhere (""), and to
// `reader` in pieces of up to 256 KiB, on a thread of its own. Progress in bytes is reported.
Streamed stream(const Call& call, Process process, const std::string& path,
                const std::function<void(std::string_view)>& reader = {},
                Output output = Output::followed);

}  // namespace drydock
