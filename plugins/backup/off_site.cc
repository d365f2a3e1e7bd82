#include "off_site.h"

namespace drydock::backup {

void send_copy(const Call& call, const std::string& file) {
  if (call.size("/copy") == 0) return;
  Process process;
  process.arguments = call.texts("/copy");
  const std::string command = process.arguments.front();
  const std::string path = call.private_dir() + "/" + file;
  process.arguments.push_back(path);
  std::string last;
  process.on_line = [&](Stream, std::string_view line) {
    if (!line.empty()) last = line;
    call.info(command + ": " + std::string(line));
  };
  const Exit exit = call.run(process);
  if (exit.ok()) {
    call.info("copied elsewhere by " + command + ": " + file);
    return;
  }
  throw Failed("`copy` failed: " + command + " for " + path + " ended with " + exit.describe() +
               (last.empty() ? "" : " (" + last + ")"));
}

}  // namespace drydock::backup
