#include "up_way_back.h"

#include <algorithm>

#include "compose_command.h"
#include "compose_engine.h"
#include "compose_json.h"
#include "compose_snapshot.h"

namespace drydock::compose {
namespace {

bool makes(const std::map<std::string, std::string>& hashes, const Container& container) {
  const auto found = hashes.find(container.service);
  return found != hashes.end() && found->second == container.config_hash;
}

bool same_image(const Model& model, const Container& container) {
  const auto found = model.services.find(container.service);
  return found != model.services.end() && found->second.image == container.image;
}

std::string compose_version(const Call& call) {
  std::string version =
      ask_once(call, {{"docker", "compose", "version", "--short"}}, "ask Compose for its version");
  version.erase(version.find_last_not_of(" \n") + 1);
  return version;
}

// Made of the files as they are, which is so but for files that were replaced by hand.
bool all_made_by(const std::map<std::string, std::string>& hashes,
                 const std::vector<Container>& containers) {
  return std::all_of(containers.begin(), containers.end(),
                     [&](const Container& one) { return makes(hashes, one); });
}

}  // namespace

std::vector<Container> without_way_back(const std::vector<Container>& leaving,
                                        const KnownFiles& known) {
  std::vector<Container> result;
  for (const Container& one : leaving) {
    if (makes(known.own, one) || makes(known.snapshot, one)) continue;
    const bool by_another = one.compose_version != known.compose_version;
    if (by_another && same_image(known.own_model, one)) continue;
    result.push_back(one);
  }
  return result;
}

std::vector<Container> without_way_back(const Call& call, const std::vector<Container>& leaving) {
  if (leaving.empty()) return {};
  KnownFiles known;
  // Files as they are that could not be resolved make nothing: only a snapshot may then.
  if (!call.model_before().empty()) {
    known.own = hashes_of_own_files(call, false);
    if (all_made_by(known.own, leaving)) return {};
    known.own.merge(hashes_of_own_files(call, true));
    known.own_model = read_model(call.model_before());
    known.compose_version = compose_version(call);
    if (without_way_back(leaving, known).empty()) return {};
  }
  if (auto snapshot = resolve_snapshot(call, call.planning_dir())) {
    known.snapshot = std::move(snapshot->hashes);
  }
  return without_way_back(leaving, known);
}

}  // namespace drydock::compose
