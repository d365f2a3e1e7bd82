// One revision file of Alembic as a value: what it says of itself in its module-level assignments,
// without running it. The forms are those that Alembic's template, people and tools write:
// annotated or not, tuples, lists, None, any quotes, several on one line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "python_source.h"

namespace drydock::alembic {

struct RevisionFile {
  std::string file;  // as the caller names it
  std::string revision;
  std::vector<std::string> down_revisions;  // none: the beginning of a branch
  std::vector<std::string> depends_on;      // revisions, or labels of branches
  std::vector<std::string> branch_labels;
  std::string message;   // the first paragraph of its docstring, on one line, valid UTF-8
  std::string source{};  // of the scripts that find_scripts() finds
};

// Whether Alembic takes a file of this name (without folders) for a revision.
bool is_revision_file(std::string_view name);

// Valid UTF-8 of at most 1,000 bytes, for people: a source in another encoding must not make the
// plan unreadable.
std::string presentable(std::string_view text);

// file: its path, for people; its last part may be the revision of files from before Alembic 0.2.
// Throws Unreadable when any of the fields is not a literal, naming file and line.
RevisionFile read_revision_file(std::string_view file, std::string_view source);

}  // namespace drydock::alembic
