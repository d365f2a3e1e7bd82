// What a run was planned from. A run that was interrupted goes on, and a saved plan is carried out,
// only as long as these are the same.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace drydock {

struct Input {
  std::string path;     // absolute
  std::string digest;   // digest_of(path), when it was planned
  int written_by = -1;  // the position of the stage whose plan left it, which this is then a
                        // digest of; -1: nothing of the run writes it
};

// Which stage's plan left what in the planned folder.
class PlannedFiles {
 public:
  explicit PlannedFiles(std::string planned_dir) : dir_(std::move(planned_dir)) {}
  // After the plan of the stage at `position`: what is new or other is its.
  void planned(int position);
  // A file or folder that a stage named, as its run will find it.
  Input input(const std::string& path, const std::string& deployment_dir) const;

 private:
  struct Left {
    std::string stamp;
    int position;
  };
  std::string dir_;
  std::map<std::string, Left> files_;  // by path in the planned folder
};

// SHA-256 of a file's bytes or of a folder's content, "absent" where there is neither. Of a folder
// with names, kinds and bytes; .git and .drydock are left out, and of files above 1 MiB size and
// time stand for the bytes. Throws Error: cannot be read.
std::string digest_of(const std::string& path);

nlohmann::json to_json(const std::vector<Input>& inputs);
std::vector<Input> inputs_from_json(const nlohmann::json& json);

}  // namespace drydock
