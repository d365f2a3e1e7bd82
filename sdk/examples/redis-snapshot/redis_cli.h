// Commands for the Redis of a Compose service, through redis-cli in its container.
#pragma once

#include <drydock/stage.hpp>
#include <map>
#include <string>
#include <vector>

class RedisCli {
 public:
  // Reads the options service, user and password.
  explicit RedisCli(drydock::Call& call);

  // The reply as redis-cli prints it, lines ending with '\n'. Throws drydock::Failed with the
  // server's or Compose's own words when it does not answer or refuses.
  std::string ask(const std::vector<std::string>& command);
  // The fields of a section of INFO.
  std::map<std::string, std::string> info(const std::string& section);
  // A setting; `otherwise` where CONFIG is not allowed.
  std::string setting(const std::string& name, const std::string& otherwise);
  // Whether it answers and has loaded its data. `why` gets the reason when not.
  bool serves(std::string& why);

  const std::string& service() const { return service_; }

 private:
  drydock::Call& call_;
  std::string service_;
  std::string login_;  // the line of AUTH; "" without a password
};

// A word of redis-cli's own command line, whatever bytes it has.
std::string quoted(const std::string& word);
