#include "stage_list.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "error.h"
#include "files.h"
#include "pipeline_stage.h"
#include "yaml_reader.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view format_version = "1";
// Far more than a person can follow; a file that includes two of the next has soon thousands.
constexpr std::size_t deepest_include = 8;
constexpr unsigned most_includes = 64;
constexpr std::size_t most_at_once = 16;  // each has processes of its own

const YamlNode* member(const YamlNode& item, std::string_view key) {
  for (const auto& [name, value] : item.members) {
    if (name.text == key) return &value;
  }
  return nullptr;
}

// One file however it is named; a file that is not there is told when it is read.
std::string canonical_name(const std::string& file) {
  std::error_code error;
  const fs::path canonical = fs::weakly_canonical(file, error);
  return error ? file : canonical.string();
}

}  // namespace

void check_format_version(const YamlNode& root, const std::string& what) {
  if (root.kind != YamlNode::Kind::mapping) {
    refuse(root.place, found_in(root), what, "a mapping that begins with 'drydock: 1'");
  }
  for (const auto& [key, value] : root.members) {
    if (key.text != "drydock") continue;
    if (value.kind == YamlNode::Kind::scalar && value.text == format_version) return;
    refuse(value.place, found_in(value), "'drydock:'",
           "1, the format version that this Drydock reads");
  }
  refuse(root.place, "no 'drydock:'", what, "'drydock: 1' as its first line, the format version");
}

StageLists::StageLists(const std::string& pipeline_file)
    : open_{{pipeline_file, canonical_name(pipeline_file)}} {}

std::vector<StageSpec> StageLists::stages(const YamlNode& list) {
  in_finally_ = false;
  read(list, "'stages:'");
  if (read_.empty()) refuse(list.place, "an empty list", "'stages:'", "at least one stage");
  return std::exchange(read_, {});
}

std::vector<StageSpec> StageLists::finally(const YamlNode& list) {
  in_finally_ = true;
  read(list, "'finally:'");
  return std::exchange(read_, {});
}

void StageLists::read(const YamlNode& list, const std::string& where) {
  if (list.kind != YamlNode::Kind::sequence) {
    refuse(list.place, found_in(list), where, "a list of stages");
  }
  for (const YamlNode& item : list.items) {
    if (member(item, "include") != nullptr) {
      include(item);
    } else if (member(item, "parallel") != nullptr) {
      parallel(item);
    } else {
      read_.push_back(read_stage(item));
    }
  }
}

void StageLists::parallel(const YamlNode& item) {
  const MappingReader reader(item, "a parallel block", {"parallel"});
  const YamlNode& list = reader.require("parallel", "parallel: [STAGE, STAGE]");
  if (in_finally_) {
    refuse(item.place, "'parallel:'", "'finally:'", "stages, which run one after another");
  }
  if (list.kind != YamlNode::Kind::sequence) {
    refuse(list.place, found_in(list), "'parallel:'", "a list of stages");
  }
  if (list.items.empty() || list.items.size() > most_at_once) {
    refuse(list.place, std::to_string(list.items.size()) + " stages", "'parallel:'",
           "1 to " + std::to_string(most_at_once));
  }
  ++block_count_;
  for (const YamlNode& each : list.items) {
    for (const char* key : {"include", "parallel"}) {
      if (member(each, key) == nullptr) continue;
      refuse(each.place, "'" + std::string(key) + ":'", "'parallel:'", "stages only");
    }
    read_.push_back(read_stage(each));
    read_.back().block = block_count_;
  }
}

void StageLists::include(const YamlNode& item) {
  const MappingReader reader(item, "an include", {"include"});
  const YamlNode& named = reader.require("include", "include: FILE");
  const std::string text = read_text(named, "'include:'");
  const std::string file =
      (fs::path(open_.back().name).parent_path() / text).lexically_normal().string();
  const std::string canonical = canonical_name(file);
  const auto same = std::find_if(open_.begin(), open_.end(),
                                 [&](const OpenFile& open) { return open.canonical == canonical; });
  if (same != open_.end()) {
    std::string way;
    for (auto open = same; open != open_.end(); ++open) way += open->name + " -> ";
    refuse(named.place, "'" + text + "', which leads back to itself (" + way + file + ")",
           "'include:'", "a file that does not include this one");
  }
  if (open_.size() > deepest_include) {
    refuse(named.place, "an include within " + std::to_string(deepest_include) + " others",
           "'include:'", "at most " + std::to_string(deepest_include) + " within one another");
  }
  if (++include_count_ > most_includes) {
    refuse(named.place, "include number " + std::to_string(include_count_), "the pipeline",
           "at most " + std::to_string(most_includes));
  }
  std::string bytes;
  try {
    bytes = read_yaml_text(file);
  } catch (const Error& e) {
    throw Error(named.place.text() + ": " + e.what());
  }
  const bool known = std::any_of(includes_.begin(), includes_.end(),
                                 [&](const IncludedFile& one) { return one.file == file; });
  if (!known) includes_.push_back({file, sha256_of_file(file)});

  const YamlNode root = parse_yaml(bytes, file);
  check_format_version(root, "an included file");
  const MappingReader included(root, "an included file", {"drydock", "stages"});
  const YamlNode& list = included.require("stages", "'stages:' with a list of stages");
  open_.push_back({file, canonical});
  const std::size_t before = read_.size();
  read(list, "'stages:'");
  if (read_.size() == before) {
    refuse(list.place, "an empty list", "'stages:'", "at least one stage");
  }
  open_.pop_back();
}

}  // namespace drydock
