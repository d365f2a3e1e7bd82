// Who could change what Drydock executes: whoever may write a plugin's file, its folder, or a
// folder above it.
#pragma once

#include <sys/stat.h>

#include <string>

namespace drydock {

// "" when only its owner, who is root or this user, can change the file or folder; else a sentence
// with the remedy.
std::string unsafe(const std::string& path, const struct stat& status);

// The same of each folder above an absolute path without links. Of one that everybody may write but
// where nobody can rename what is another's (sticky, as /tmp) nothing is to be feared.
std::string unsafe_above(const std::string& path);

// The file, and everything above it.
std::string unsafe_to_load(const std::string& path);

}  // namespace drydock
