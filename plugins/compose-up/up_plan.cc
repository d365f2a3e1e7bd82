#include "up_plan.h"

#include <filesystem>
#include <fstream>

#include "file_store.h"

namespace drydock::compose {
namespace {

using Kind = ServiceChange::Kind;

// What an earlier compose-up of this pipeline has planned is done by the time this one runs. The
// planning folder is how the plan of one stage leaves word to those of later ones.
class PlannedEarlier {
 public:
  explicit PlannedEarlier(const Call& call)
      : file_(call.planning_dir() + "/compose-up"), stage_(call.stage_id()) {
    std::ifstream before(file_);
    for (std::string stage, change; before >> stage && std::getline(before >> std::ws, change);) {
      if (stage != stage_) changes_.insert(change);
    }
  }
  // Whether this one is to be reported; later stages will not report it again.
  bool is_new(const std::string& change) {
    if (changes_.count(change) != 0) return false;
    std::ofstream(file_, std::ios::app) << stage_ << ' ' << change << '\n';
    return true;
  }

 private:
  std::string file_, stage_;
  Names changes_;
};

const char* word_for(Kind kind) {
  switch (kind) {
    case Kind::start:
      return "start";
    case Kind::keep:
      return "keep";
    default:
      return "change";
  }
}

}  // namespace

void report_plan(const Call& call, const Leavers& leavers,
                 const std::vector<ServiceChange>& changes, const std::vector<Container>& lost) {
  PlannedEarlier planned(call);
  for (const Container& one : leavers.retired) {
    if (!planned.is_new("retire " + one.id)) continue;
    call.change({"service", "retire", one.service, one.image, "",
                 call.has("/retire") ? "it is to go; its volumes stay"
                                     : "the compose files no longer have it; its volumes stay",
                 0, kept_in_anonymous_volumes({one})});
  }
  for (const Container& one : leavers.left_alone) {
    if (!planned.is_new("leave " + one.id)) continue;
    call.change({"service", "keep", one.service, one.image, one.image,
                 "the compose files no longer have it, and `retire` does not name it"});
  }
  const bool rolling = strategy_of(call) == Strategy::rolling;
  for (const ServiceChange& change : changes) {
    if (!planned.is_new("service " + change.service)) continue;
    const bool beside = rolling && change.kind == Kind::recreate;
    call.change({"service", word_for(change.kind), change.service, change.image_before,
                 change.image_after,
                 change.why + (beside ? "; a new container beside it first" : ""), 0,
                 change.rollback_loses});
  }
  for (const Container& one : lost) {
    if (!planned.is_new("lose " + one.service)) continue;
    call.change({"rollback", "lose", one.service, one.image, "",
                 "it was made of other files than those that are here, and no snapshot has them", 0,
                 "how service " + one.service + " was configured; it ran " + one.image});
  }
}

Names files_to_change(const Call& call) {
  namespace fs = std::filesystem;
  Names result;
  if (call.planned_dir().empty()) return result;
  std::error_code failed;
  for (auto entry = fs::recursive_directory_iterator(call.planned_dir(), failed);
       !failed && entry != fs::recursive_directory_iterator(); entry.increment(failed)) {
    if (!entry->is_regular_file()) continue;
    const std::string own =
        call.deployment(entry->path().lexically_relative(call.planned_dir()).string());
    const bool same = fs::is_regular_file(own) && files::same_content(entry->path().string(), own);
    if (!same) result.insert(own);
  }
  return result;
}

void warn_of_unknown_one_shots(const Call& call, const Model& model) {
  for (const std::string& name : call.texts("/one_shot")) {
    if (!model.has(name)) {
      call.warn("compose-up: one_shot: there is no active service " + name +
                " in the compose files");
    }
  }
}

}  // namespace drydock::compose
