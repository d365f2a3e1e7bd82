// Which files of the deployment a run has changed: what changes them leaves word in a file of the
// stage's private folder, so that a later stage can make containers anew that have mounted
// them. A container goes on with the file that it was started with, also when another one has been
// renamed into its place.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "file_store.h"

namespace drydock::files {

// For `run`, before the first of them is changed. private_dir and run_id as the Call has them;
// paths are absolute. On disk when it returns; safe to repeat, and several stages may. Throws
// FileError.
void leave_changed(const std::string& private_dir, std::uint64_t run_id,
                   const std::set<std::string>& paths);
// The same with other files of the stage, on disk when they are.
void leave_changed(Replacements& with, const std::string& private_dir, std::uint64_t run_id,
                   const std::set<std::string>& paths);

// For `rollback`, once all that this stage has changed is as it was: later stages of a run that
// goes on have nothing to do with it. Throws FileError.
void take_back_changed(const std::string& private_dir, std::uint64_t run_id);

// What the stages of this run have left; empty when none has.
std::set<std::string> changed_by_run(const std::string& private_dir, std::uint64_t run_id);

// Whether `path` is one of `changed`, or a folder with one of them below it.
bool touches(const std::set<std::string>& changed, const std::string& path);

}  // namespace drydock::files
