// Which plugin file undoes what another one did, when the one that the journal names is not there,
// or is not the same, any more.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "journal.h"
#include "worker.h"

namespace drydock {

class RollbackPlugins {
 public:
  // `folders`: where else a file of the same name may be, in order.
  RollbackPlugins(std::vector<std::string> folders, Worker& worker)
      : folders_(std::move(folders)), worker_(worker) {}

  // The file that the journal names when its bytes are those of the run. Else the first that has
  // the same plugin id and reads the same version of the stage type's notes. As it was when it was
  // looked at. Throws Error, with the file and what it lacks, when there is none.
  FileIdentity file_for(const StageRecord& stage);

 private:
  std::vector<std::string> folders_;
  Worker& worker_;
  std::map<int, FileIdentity> found_;  // by the stage's position
};

}  // namespace drydock
