#include "redis_cli.h"

#include <algorithm>
#include <cctype>

namespace {

// Errors begin with a word in capitals: "ERR unknown command", "NOAUTH Authentication required."
bool is_error(const std::string& reply) {
  const std::size_t space = reply.find(' ');
  if (space == std::string::npos || space < 3) return false;
  const auto capital = [](unsigned char c) { return std::isupper(c) != 0; };
  return std::all_of(reply.begin(), reply.begin() + static_cast<std::ptrdiff_t>(space), capital);
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

std::string quoted(const std::string& word) {
  static const char digits[] = "0123456789abcdef";
  std::string result = "\"";
  for (const unsigned char c : word) {
    if (std::isalnum(c) != 0 || c == '-' || c == '_') {
      result += static_cast<char>(c);
    } else {
      result.append("\\x").append(1, digits[c >> 4]).append(1, digits[c & 15]);
    }
  }
  return result + "\"";
}

RedisCli::RedisCli(drydock::Call& call) : call_(call), service_(call.text("/service")) {
  const auto password = call.secret("/password");
  if (!password) return;
  // Before version 6 there is one user, and no name for it.
  const std::string user = call.text("/user");
  login_ = "AUTH " + (user.empty() || user == "default" ? "" : quoted(user) + " ") +
           quoted(*password) + "\n";
}

std::string RedisCli::ask(const std::vector<std::string>& command) {
  drydock::Process process = call_.compose({"exec", "-T", service_, "redis-cli"});
  // Commands and the password go in by standard input: neither an argument list nor a variable
  // shows them.
  process.input = login_;
  for (const std::string& word : command) process.input += quoted(word) + " ";
  process.input.back() = '\n';
  drydock::Captured said = call_.capture(process);
  if (!login_.empty() && first_line(said.out) == "OK") said.out.erase(0, 3);
  if (said.exit.ok() && !said.out.empty() && !is_error(said.out)) return said.out;
  std::string reason = first_line(said.out.empty() ? said.err : said.out);
  if (reason.empty()) reason = said.exit.describe();
  throw drydock::Failed("the Redis of service " + service_ + " refuses " + command.front() + ": " +
                        reason);
}

std::map<std::string, std::string> RedisCli::info(const std::string& section) {
  std::map<std::string, std::string> result;
  std::string reply = ask({"INFO", section});
  while (!reply.empty()) {
    std::string line = first_line(reply);
    reply.erase(0, line.size() + 1);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    const std::size_t colon = line.find(':');
    if (colon != std::string::npos) result[line.substr(0, colon)] = line.substr(colon + 1);
  }
  return result;
}

std::string RedisCli::setting(const std::string& name, const std::string& otherwise) {
  std::string reply;
  try {
    reply = ask({"CONFIG", "GET", name});  // two lines: the name, the value
  } catch (const drydock::Failed&) {
    return otherwise;
  }
  const std::size_t value = reply.find('\n');
  return value == std::string::npos || value + 1 >= reply.size()
             ? otherwise
             : first_line(reply.substr(value + 1));
}

bool RedisCli::serves(std::string& why) {
  try {
    ask({"PING"});
    return true;
  } catch (const drydock::Failed& failed) {
    why = failed.what();  // also "LOADING Redis is loading the dataset in memory"
    return false;
  }
}
