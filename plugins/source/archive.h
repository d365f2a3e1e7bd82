// A release as an archive: fetched, proven by its SHA-256, unpacked.
#pragma once

#include <drydock/stage.hpp>
#include <optional>
#include <string>
#include <vector>

namespace drydock::source {

// The folder that it is unpacked in, without the first `strip` parts of each path; nullopt: it
// would have to be fetched first. Throws Failed where the archive is another than its digest says,
// or holds what no release does.
std::optional<std::string> unpacked_archive(const Call& call);

// What is wrong with a member, for people; "" when nothing. kind: as `tar --list --verbose` begins
// its line.
std::string refused_member(char kind, const std::string& name);

}  // namespace drydock::source
