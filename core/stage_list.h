// The lists `stages:` and `finally:`, as one sequence of stages: what they include is read in its
// place.
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

  // `where`: "'stages:'" or "'finally:'". Throws Error with the place of the first problem.
  std::vector<StageSpec> read(const YamlNode& list, const std::string& where);
  // Every file that was included, once each, in the order in which they were met.
  const std::vector<IncludedFile>& includes() const { return includes_; }

 private:
  void read_into(std::vector<StageSpec>& stages, const YamlNode& list, const std::string& where);
  void include(std::vector<StageSpec>& stages, const YamlNode& item);

  struct OpenFile {
    std::string name, canonical;
  };
  std::vector<OpenFile> open_;  // the pipeline, and each file that the one before includes
  std::vector<IncludedFile> includes_;
  unsigned count_ = 0;
};

}  // namespace drydock
