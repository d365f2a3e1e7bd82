#include "sent_pipeline.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "digest.h"
#include "error.h"
#include "files.h"
#include "yaml_reader.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t largest_file = 4u << 20;
constexpr std::size_t name_digits = 16;

fs::path absolute_path(const std::string& file) { return fs::absolute(file).lexically_normal(); }

// The nearest folder that all of them are in.
fs::path common_folder(const std::vector<fs::path>& files) {
  fs::path folder = files.front().parent_path();
  const auto is_in = [&](const fs::path& file) {
    const fs::path relative = file.lexically_relative(folder);
    return !relative.empty() && *relative.begin() != "..";
  };
  while (!std::all_of(files.begin(), files.end(), is_in)) folder = folder.parent_path();
  return folder;
}

// A name that stays below the folder to which it is added.
bool is_below(const std::string& name) {
  const fs::path path(name);
  return !name.empty() && path.is_relative() && path == path.lexically_normal() &&
         path.has_filename() && *path.begin() != ".." && *path.begin() != "." &&
         name.find('\0') == std::string::npos;
}

}  // namespace

SentPipeline pack_pipeline(const Pipeline& pipeline) {
  std::vector<fs::path> files = {absolute_path(pipeline.file)};
  std::vector<std::string> digests = {pipeline.sha256};
  for (const IncludedFile& each : pipeline.includes) {
    if (fs::path(each.file).is_absolute() && fs::path(pipeline.file).is_relative()) {
      throw Error(pipeline.file + " includes " + each.file +
                  " by an absolute path, which would be another file on another host; name it "
                  "from the pipeline's folder");
    }
    files.push_back(absolute_path(each.file));
    digests.push_back(each.sha256);
  }
  const fs::path folder = common_folder(files);
  SentPipeline sent;
  sent.file = files.front().lexically_relative(folder).string();
  for (std::size_t i = 0; i < files.size(); ++i) {
    std::string text = read_file(files[i].string(), largest_file);
    if (sha256(text) != digests[i]) {
      throw Error(files[i].string() +
                  " has changed since it was read; plan the rollout again, and do not edit it "
                  "meanwhile");
    }
    sent.files[files[i].lexically_relative(folder).string()] = std::move(text);
  }
  return sent;
}

json to_json(const SentPipeline& sent) { return {{"file", sent.file}, {"files", sent.files}}; }

SentPipeline sent_pipeline_from_json(const json& from) {
  const auto refuse_it = [](const std::string& found) {
    throw Error("--stdin: found " + found +
                R"( as 'pipeline', allowed: {"file": NAME, "files": {NAME: TEXT}})");
  };
  if (!from.is_object() || from.size() != 2 || !from.contains("file") || !from.contains("files") ||
      !from["file"].is_string() || !from["files"].is_object()) {
    refuse_it("another document");
  }
  SentPipeline sent;
  sent.file = from["file"].get<std::string>();
  for (const auto& [name, text] : from["files"].items()) {
    if (!is_below(name)) refuse_it("the file '" + name + "', which is no relative path");
    if (!text.is_string()) refuse_it("no text of the file '" + name + "'");
    sent.files[name] = text.get<std::string>();
  }
  if (sent.files.count(sent.file) == 0) refuse_it("no file '" + sent.file + "'");
  return sent;
}

std::string unpack_pipeline(const SentPipeline& sent, const std::string& folder) {
  for (const auto& [name, text] : sent.files) {
    const fs::path path = fs::path(folder) / name;
    make_private_dir(path.parent_path().string());
    std::error_code absent;
    // Another process may read it at this moment.
    if (fs::exists(path, absent) && sha256_of_file(path.string()) == sha256(text)) continue;
    write_file_atomically(path.string(), text);
  }
  const std::string file = folder + "/" + sent.file;
  for (const IncludedFile& each : load_pipeline(file).includes) {
    const std::string name = fs::path(each.file).lexically_relative(folder).string();
    if (sent.files.count(name) != 0) continue;
    throw Error(sent.file + " includes " + each.file +
                ", which was not sent with it; name it from the pipeline's folder");
  }
  return file;
}

std::string keep_pipeline(const SentPipeline& sent, const StateDir& state) {
  const std::string name = sha256(to_json(sent).dump()).substr(0, name_digits);
  return unpack_pipeline(sent, state.pipelines() + "/" + name);
}

Pipeline load_pipeline_of_run(const std::string& file, const StateDir& state,
                              const std::string& dir) {
  const bool was_sent = file.starts_with(state.pipelines() + "/");
  return load_pipeline(file, was_sent ? dir : "");
}

}  // namespace drydock
