// A release that is a tag of a git repository: found, and fetched alone where it may be.
#pragma once

#include <drydock/stage.hpp>
#include <optional>
#include <string>

#include "checkout.h"
#include "git.h"

namespace drydock::source {

struct Tag {
  std::string name;
  std::string object;  // what the tag names: a tag object, or the commit itself
  std::string commit;
  std::string fetched;  // the repository of ours that it was fetched into; "": the checkout has it
};

// Throws BadOptions for what is no name of a tag.
void check_tag_name(const Call& call, const std::string& name);

// A folder of this stage's own below Call::next_dir().
std::string kept_release_dir(const Call& call);

// Whether this step may fill it.
bool may_fill(const Call& call);

// The tag of the deployment's own repository: what it has itself, else what its remote has. nullopt
// when it would have to be fetched and may not be.
std::optional<Tag> tag_of_checkout(const Call& call, const Checkout& checkout,
                                   const std::string& name);

// The tag of another repository, by URL or path.
std::optional<Tag> tag_of_repository(const Call& call, const std::string& url,
                                     const std::string& name);

}  // namespace drydock::source
