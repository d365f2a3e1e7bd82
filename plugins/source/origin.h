// Where the release comes from, as the options say.
#pragma once

#include <drydock/stage.hpp>
#include <optional>
#include <string>

namespace drydock::source {

enum class Origin { folder, archive, repository, checkout };
// Throws BadOptions when the options name none or several, or what does not go together.
Origin origin_of(const Call& call);

// Of all but a checkout: the folder of the release's files; fetched and unpacked where that is
// needed and allowed. nullopt: not known without fetching.
std::optional<std::string> release_folder(const Call& call, Origin origin);

}  // namespace drydock::source
