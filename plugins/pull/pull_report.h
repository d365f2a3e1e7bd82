// What a pull tells: its plan, its warnings, and what it hands on.
#pragma once

#include <map>
#include <set>
#include <string>

#include "digests.h"
#include "pull_look.h"

namespace drydock::pull {

// "sha256:" and twelve digits, for people.
std::string short_id(const std::string& id);

// The changes of a plan. fetched: references that this plan has brought into the engine's cache.
void report(const Call& call, const Look& look, const std::map<std::string, Choice>& choices,
            const std::set<std::string>& fetched);
void warn(const Call& call, const Look& look, const std::map<std::string, Choice>& choices);

// after: by reference. What of it each service runs from now on.
ServiceImages images_of_services(const Look& look,
                                 const std::map<std::string, compose::Image>& after);
// Says which services change, and sets the outputs `digests` and `images`.
void hand_on(const Call& call, const ServiceImages& before, const ServiceImages& after);

}  // namespace drydock::pull
