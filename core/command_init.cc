// init: get to know a deployment.
#include <filesystem>
#include <fstream>
#include <iostream>

#include "commands.h"
#include "files.h"
#include "json_text.h"
#include "lookup.h"
#include "recovery.h"
#include "text.h"
#include "workbench.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;

struct Recognised {
  std::string name, file, image;
};

// The installed pipeline that says `recognise: {image: ...}` of an image that the deployment uses.
std::optional<Recognised> recognise(const std::vector<std::string>& images,
                                    const std::string& pipelines) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(pipelines, error)) {
    if (entry.path().extension() != ".yaml") continue;
    const Pipeline pipeline = load_pipeline(entry.path().string());
    if (!pipeline.recognise_image) continue;
    for (const std::string& image : images) {
      // The repository's name, with any registry before it and any tag behind it.
      const std::string repository =
          image.substr(0, image.find_first_of(":@", image.rfind('/') + 1));
      const std::string& wanted = *pipeline.recognise_image;
      const bool same =
          repository == wanted || (repository.size() > wanted.size() &&
                                   repository.compare(repository.size() - wanted.size() - 1,
                                                      std::string::npos, "/" + wanted) == 0);
      if (same) return Recognised{entry.path().stem().string(), entry.path().string(), image};
    }
  }
  return std::nullopt;
}

}  // namespace

ExitCode command_init(const Arguments& arguments) {
  Deployment deployment;
  deployment.dir = deployment_dir(arguments.directory, {});
  deployment.compose =
      find_compose_project({}, deployment.dir, evaluate_dot_env(deployment.dir + "/.env"));
  const Installation installation = Installation::here();
  const StateDir state = state_of(arguments, deployment.dir);
  const bool has_project = !deployment.compose.files.empty();
  const std::optional<Recognised> found =
      has_project ? recognise(images_of(deployment.compose, deployment.dir), installation.pipelines)
                  : std::nullopt;

  // What half a run left is no state to remember.
  const std::string interruption = Lookup(arguments).interruption();
  if (!interruption.empty()) throw Error(interruption, ExitCode::busy);
  state.create();
  const DeploymentLock lock(state);
  // Run 0 is what ran before Drydock's first run.
  const std::string snapshot = state.snapshots() + "/0";
  const bool first = state.newest_snapshot().empty();
  if (first) take_snapshot(deployment, snapshot);

  const std::string pipeline = found ? found->name : has_project ? "compose" : "";
  if (arguments.json) {
    std::cout << indented({{"deployment", deployment.dir},
                           {"project", deployment.compose.project},
                           {"compose_files", deployment.compose.files},
                           {"engine", deployment.compose.engine},
                           {"recognised", found ? nlohmann::json(found->name) : nlohmann::json()},
                           {"pipeline", pipeline},
                           {"state_dir", state.path()},
                           {"snapshot", first ? snapshot : state.newest_snapshot()},
                           {"snapshot_taken", first}});
    return ExitCode::done;
  }
  std::cout << "deployment   " << make_visible(deployment.dir) << "\n";
  if (has_project) {
    std::cout << "project      " << deployment.compose.project << "   engine "
              << (deployment.compose.engine.empty() ? "not reached" : deployment.compose.engine)
              << "\n"
              << "files        " << join(deployment.compose.files, "\n             ") << "\n";
  } else {
    std::cout << "project      none: there is no compose file in this folder\n";
  }
  if (found)
    std::cout << "recognised   " << found->name << ", by the image " << found->image << "\n";
  std::cout << "state        " << make_visible(state.path()) << "\n"
            << "snapshot     "
            << (first ? "taken, of the files as they are now" : "kept, there was one already")
            << "\n";
  const bool own = fs::exists(deployment.dir + "/drydock.yaml");
  if (own) {
    std::cout << "\nNext: " << command_for(deployment.dir, state.path(), "plan") << "\n";
  } else if (!pipeline.empty()) {
    std::cout << "\nNext: " << command_for(deployment.dir, state.path(), "plan " + pipeline)
              << "   (`drydock validate " << pipeline << "` names its variables)\n";
  } else {
    std::cout << "\nNext: write drydock.yaml; `drydock stages` lists what it can use.\n";
  }
  return ExitCode::done;
}

}  // namespace drydock
