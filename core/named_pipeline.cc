#include "named_pipeline.h"

#include <filesystem>

#include "deployment.h"
#include "error.h"
#include "sent_pipeline.h"
#include "text.h"

namespace drydock {

namespace fs = std::filesystem;

Pipeline find_pipeline(const Arguments& arguments, const Installation& installation) {
  if (!arguments.uses.empty()) return single_stage_pipeline(arguments.uses, arguments.with);
  if (arguments.positional.empty()) {
    deployment_dir(arguments.directory, {});  // a folder that is not there is the better reason
    const fs::path file = fs::path(arguments.directory) / "drydock.yaml";
    if (!fs::exists(file)) {
      throw Error("there is no pipeline " + file.string() +
                  "; name one (`drydock plan FILE`), or let `drydock init` choose one");
    }
    return load_pipeline(file.string());
  }
  const std::string& named = arguments.positional.front();
  const bool path = named.find('/') != std::string::npos || fs::path(named).has_extension();
  const fs::path installed = fs::path(installation.pipelines) / (named + ".yaml");
  // A checkout of the application beside us is often a folder of the same name.
  const bool only_a_folder = fs::is_directory(named) && fs::exists(installed);
  if (path || (fs::exists(named) && !only_a_folder)) return load_pipeline(named);
  if (!fs::exists(installed)) {
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(installation.pipelines, error)) {
      names.push_back(entry.path().stem().string());
    }
    throw Error("'" + named + "' is neither a file nor an installed pipeline" +
                did_you_mean(named, names) +
                "; installed: " + (names.empty() ? "none" : join(names, ", ")));
  }
  return load_pipeline(installed.string());
}

bool is_sent_pipeline(const Arguments& arguments) {
  return !arguments.positional.empty() && arguments.positional.front() == sent_pipeline_word;
}

Pipeline received_pipeline(Workbench& bench, const std::string& folder) {
  const Arguments& arguments = bench.arguments();
  if (!arguments.from_stdin) {
    throw Error(arguments.command +
                ": found the pipeline '-' without --stdin; name its file, or give it as 'pipeline' "
                "of the document on standard input");
  }
  if (!bench.given().pipeline) {
    throw Error("--stdin: found no 'pipeline', which '-' stands for; send one, or name its file");
  }
  const std::string file = unpack_pipeline(*bench.given().pipeline, folder);
  const std::string dir = deployment_dir(arguments.directory, load_pipeline(file).deployment);
  return load_pipeline(file, dir);
}

}  // namespace drydock
