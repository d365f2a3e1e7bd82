#include "database_url.h"

#include <drydock/stage.hpp>
#include <map>
#include <sstream>

namespace drydock {
namespace {

BadOptions bad(const std::string& why) {
  return BadOptions("the `url` of a database " + why +
                    "; it looks like postgresql://user:password@host:5432/name, with reserved "
                    "characters of user and password percent-encoded");
}

int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string decoded(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex(text[i + 2]) : -1;
    if (high < 0 || low < 0) throw bad("has a % that no two hexadecimal digits follow");
    result += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (result.find('\0') != std::string::npos || result.find('\n') != std::string::npos) {
    throw bad("has a NUL or a line break in it");
  }
  return result;
}

}  // namespace

std::string DatabaseUrl::place() const {
  if (!socket.empty()) return socket;
  return host + (port.empty() ? "" : ":" + port);
}

DatabaseUrl parse_database_url(const std::string& text) {
  static const std::map<std::string, std::string> kinds = {{"postgresql", "postgresql"},
                                                           {"postgres", "postgresql"},
                                                           {"mariadb", "mariadb"},
                                                           {"mysql", "mysql"}};
  const std::size_t scheme_end = text.find("://");
  if (scheme_end == std::string::npos) throw bad("has no scheme");
  const std::string scheme = text.substr(0, std::min(scheme_end, text.find('+')));
  const auto kind = kinds.find(scheme);
  if (kind == kinds.end()) {
    throw bad("has a scheme that is none of postgresql, mariadb and mysql");
  }
  DatabaseUrl url;
  url.kind = kind->second;
  std::string rest = text.substr(scheme_end + 3), query;
  if (const std::size_t mark = rest.find('?'); mark != std::string::npos) {
    query = rest.substr(mark + 1);
    rest.resize(mark);
  }
  if (const std::size_t slash = rest.find('/'); slash != std::string::npos) {
    url.database = decoded(rest.substr(slash + 1));
    rest.resize(slash);
  }
  if (const std::size_t at = rest.rfind('@'); at != std::string::npos) {
    const std::string account = rest.substr(0, at);
    rest.erase(0, at + 1);
    const std::size_t colon = account.find(':');
    url.user = decoded(account.substr(0, colon));
    if (colon != std::string::npos) url.password = decoded(account.substr(colon + 1));
  }
  const std::size_t bracket = rest.find(']');  // of an IPv6 address
  const std::size_t colon = rest.find(':', bracket == std::string::npos ? 0 : bracket);
  url.host = decoded(rest.substr(0, colon));
  if (colon != std::string::npos) url.port = rest.substr(colon + 1);
  if (bracket != std::string::npos && rest[0] == '[') url.host = rest.substr(1, bracket - 1);
  if (url.port.find_first_not_of("0123456789") != std::string::npos) {
    throw bad("has a port that is no number");
  }
  std::istringstream settings(query);
  for (std::string one; std::getline(settings, one, '&');) {
    const std::string name = one.substr(0, one.find('='));
    const std::string value = decoded(one.size() > name.size() ? one.substr(name.size() + 1) : "");
    if (name == "socket" || name == "unix_socket" || (name == "host" && value[0] == '/')) {
      url.socket = value;
    } else if (name == "sslmode") {
      url.ssl_mode = value;
    }
  }
  if (url.host.empty() && url.socket.empty()) throw bad("has no host");
  return url;
}

}  // namespace drydock
