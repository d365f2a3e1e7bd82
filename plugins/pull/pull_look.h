// What a pull finds: the release's model, what runs, and the images of both.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "digests.h"
#include "drydock/stage.hpp"
#include "image_choice.h"

namespace drydock::pull {

struct Look {
  compose::Model model;
  std::vector<compose::Container> containers;
  Question question;
};

// As it is now; in plan: as it is planned. `also`: further images to ask the engine for, by id.
Look look(const Call& call, const std::set<std::string>& also = {});
// The engine's images again, after some were brought.
void look_again(const Call& call, Look& look, const std::set<std::string>& also = {});

// What the services of the deployment run.
ServiceImages images_before(const std::vector<compose::Container>& containers,
                            const std::map<std::string, compose::Image>& present);

// Throws Failed for one of `brought` (references) that the engine does not have, is not what was
// accepted, or is made for another platform.
void prove(const Call& call, const Look& look, const std::map<std::string, Choice>& choices,
           const std::set<std::string>& brought);

}  // namespace drydock::pull
