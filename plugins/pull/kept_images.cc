#include "kept_images.h"

#include <filesystem>
#include <map>
#include <sstream>

#include "compose_command.h"
#include "compose_engine.h"
#include "digest.h"
#include "first_failure.h"
#include "puller.h"

namespace drydock::pull {
namespace {

namespace fs = std::filesystem;

constexpr auto repository = "drydock/keep";

std::string prefix_of(const Call& call) {
  const std::string project = call.project().empty() ? "none" : call.project().substr(0, 60);
  return project + "." + sha256(compose::real_path(call.deployment_dir())).substr(0, 12) + "-";
}

// The folder of a run is removed with its journal.
bool is_removed(const Call& call, const std::string& run) {
  const fs::path runs = fs::path(call.private_dir()).parent_path().parent_path();
  std::error_code unknown;
  return run != std::to_string(call.run_id()) &&
         fs::status(runs / run, unknown).type() == fs::file_type::not_found;
}

void remove_outdated(const Call& call) {
  const std::string listed = compose::ask_docker(
      call, {"docker", "image", "ls", "--format", "{{.Tag}}", repository}, "list the kept images");
  std::istringstream lines(listed);
  std::vector<std::string> tags;
  for (std::string tag; std::getline(lines, tag);) tags.push_back(tag);
  for (const std::string& tag : outdated(call, tags)) {
    const std::string name = std::string(repository) + ":" + tag;
    // Where a container still needs it the engine refuses, and it is tried again next time.
    if (call.capture({{"docker", "image", "rm", name}}).exit.ok()) {
      call.info("the image " + name + " of a run that was removed is no longer kept");
    }
  }
}

void fetch_again(const Call& call, const KeptImage& one) {
  const std::string gone =
      "the image " + one.id + ", which ran before, was removed from this engine";
  if (one.pullable.empty()) {
    throw Failed(gone + " and is from no registry; load it (`docker load`), then roll back again");
  }
  call.warn(gone + "; fetching it again: " + one.pullable);
  pull_all(call, {{one.pullable, "", one.pullable + ", which ran before"}});
  compose::tag_image(call, one.id, one.tag);
}

}  // namespace

std::string to_lines(const std::vector<KeptImage>& images) {
  std::string result;
  for (const KeptImage& one : images) {
    result += one.id + ' ' + one.tag + ' ' + (one.pullable.empty() ? "-" : one.pullable) + '\n';
  }
  return result;
}

std::vector<KeptImage> from_lines(const std::string& lines) {
  std::vector<KeptImage> result;
  std::istringstream words(lines);
  for (KeptImage one; words >> one.id >> one.tag >> one.pullable;) {
    if (one.pullable == "-") one.pullable.clear();
    result.push_back(one);
  }
  return result;
}

std::string keep_tag(const Call& call, std::size_t n) {
  return std::string(repository) + ":" + prefix_of(call) + std::to_string(call.run_id()) + "-" +
         sha256(call.stage_id()).substr(0, 8) + "-" + std::to_string(n);
}

std::set<std::string> outdated(const Call& call, const std::vector<std::string>& tags) {
  const std::string prefix = prefix_of(call);
  std::set<std::string> result;
  for (const std::string& tag : tags) {
    if (tag.compare(0, prefix.size(), prefix) != 0) continue;
    const std::string rest = tag.substr(prefix.size());
    const std::string run = rest.substr(0, rest.find('-'));
    const bool number = !run.empty() && run.find_first_not_of("0123456789") == run.npos;
    if (number && is_removed(call, run)) result.insert(tag);
  }
  return result;
}

void keep(const Call& call, const std::vector<KeptImage>& images) {
  for (const KeptImage& one : images) compose::tag_image(call, one.id, one.tag);
  if (!images.empty()) remove_outdated(call);
}

void fetch_again(const Call& call, const std::vector<KeptImage>& images) {
  std::set<std::string> ids;
  for (const KeptImage& one : images) ids.insert(one.id);
  const auto present = compose::image_ids(call, ids);
  FirstFailure failure(call);
  for (const KeptImage& one : images) {
    if (present.count(one.id) == 0) failure.attempt([&] { fetch_again(call, one); });
  }
  failure.rethrow();
}

}  // namespace drydock::pull
