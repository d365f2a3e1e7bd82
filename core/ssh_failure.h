// Why OpenSSH's client has failed, by what it wrote on its standard error. It has no codes for
// that, and its messages are not translated.
#pragma once

#include <string>
#include <vector>

namespace drydock {

struct SshFailure {
  enum class Kind {
    unknown,      // also: the link of a session was lost
    not_reached,  // before there was a session
    host_key_changed,
    host_key_unknown,
    login_refused,
    nothing_in_common,  // no algorithm that both sides have
    not_started,        // its own configuration is wrong
  };
  Kind kind = Kind::unknown;
  std::string line;  // that says so; of a changed key where the old one stands, "FILE:LINE", or ""
};

// What a session brings is on the same stream: a login script may complain of a permission that is
// denied, too. So whole lines count, as OpenSSH 7.6 to 10 print them, and the last one, after which
// the client has ended. A line that may also come after a session has begun is `unknown`.
SshFailure ssh_failure_in(const std::vector<std::string>& lines);

}  // namespace drydock
