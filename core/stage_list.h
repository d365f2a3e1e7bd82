// The lists `stages:` and `finally:`, as one sequence of stages: what they include is read in its
// place, and the stages of a block know that they belong together.
#pragma once

#include <string>
#include <vector>

#include "pipeline.h"
#include "yaml_tree.h"

namespace drydock {

// First of all: a file of another version may have other keys. `what` completes "found ... in".
// Throws Error.
void check_format_version(const YamlNode& root, const std::string& what);

class StageLists {
 public:
  explicit StageLists(const std::string& pipeline_file);

  // Each throws Error with the place of the first problem.
  std::vector<StageSpec> stages(const YamlNode& list);
  std::vector<StageSpec> finally(const YamlNode& list);
  // Every file that was included, once each, in the order in which they were met.
  const std::vector<IncludedFile>& includes() const { return includes_; }

 private:
  void read(const YamlNode& list, const std::string& where);
  void include(const YamlNode& item);
  void parallel(const YamlNode& item);

  struct OpenFile {
    std::string name, canonical;
  };
  std::vector<OpenFile> open_;  // the pipeline, and each file that the one before includes
  std::vector<IncludedFile> includes_;
  unsigned include_count_ = 0, block_count_ = 0;
  bool in_finally_ = false;
  std::vector<StageSpec> read_;
};

}  // namespace drydock
