// What settling would do, decided from values alone.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "compose_types.h"

namespace drydock::compose {

struct Settlement {
  std::map<std::string, std::vector<std::string>> start;  // service -> ids: exist, and ran before
  std::map<std::string, std::string> policies;            // id -> restart policy to put back
  std::map<std::string, std::string> retag;               // image reference -> id it must name
  std::vector<std::string> replace;  // ids: stand where a noted one must come back, but are others
  std::map<std::string, std::size_t> up;  // service -> how many ran: to be made anew, and started
  std::set<std::string> create;           // services to be made anew, but not started

  bool nothing() const { return start.empty() && up.empty() && create.empty(); }
};

// Without what cannot be made anew: `services`, and those to be made anew that depend on them,
// since Compose would make these along, from whatever image their names mean now. What stands in
// the place of a noted one of them stays.
Settlement leave_out(Settlement todo, const std::set<std::string>& services, const Model& model,
                     const std::vector<Container>& existing);

// hashes: service -> configuration hash of the files as they are now. images: reference -> id as
// the engine has them now, of the noted references.
Settlement decide_settlement(const std::vector<Container>& noted,
                             const std::vector<Container>& existing,
                             const std::map<std::string, std::string>& hashes,
                             const std::map<std::string, std::string>& images);

}  // namespace drydock::compose
