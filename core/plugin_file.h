// A plugin file while it is looked at. What is hashed, what is read of it and what may be loaded of
// it later are one and the same, as one descriptor leads to all of them.
#pragma once

#include <string>
#include <variant>

#include "descriptor.h"
#include "file_identity.h"
#include "plugin_note.h"

namespace drydock {

class PluginFile {
 public:
  // Throws Error when it cannot be opened.
  explicit PluginFile(const std::string& path);

  // As it was when it was opened: a worker that is told so loads nothing else.
  const FileIdentity& identity() const { return identity_; }
  std::variant<PluginNote, NoPluginNote> note() const;
  // Throws Error when it cannot be read, or was changed meanwhile.
  std::string sha256() const;

 private:
  std::string path_;
  Descriptor file_;
  FileIdentity identity_;
};

}  // namespace drydock
