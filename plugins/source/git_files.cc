// The files of a commit.
#include <filesystem>

#include "file_store.h"
#include "git_upgrade.h"

namespace drydock::source {
namespace fs = std::filesystem;

std::vector<CommitFile> files_of(const Git& git, const std::string& commit) {
  std::vector<CommitFile> files;
  for (const std::string& line :
       lines_of(git.ask({"ls-tree", "-r", "--full-tree", commit}, "list the release's files"))) {
    // "100644 blob OID<tab>path"
    const std::size_t tab = line.find('\t'), first = line.find(' ');
    const std::size_t second = line.find(' ', first + 1);
    if (tab == line.npos || second == line.npos) continue;
    files.push_back({line.substr(0, first), line.substr(second + 1, tab - second - 1),
                     unquoted(line.substr(tab + 1))});
  }
  return files;
}

// Through an index of its own, because only git knows what a checkout makes of a file; it reads
// .gitattributes from the same index.
void write_files(const Git& git, const std::vector<CommitFile>& files, const std::string& folder) {
  if (files.empty()) return;
  files::make_directories(folder);
  const std::string index = folder + ".index";
  std::error_code none;
  fs::remove(index, none);
  fs::remove(index + ".lock", none);
  std::string list;
  for (const CommitFile& file : files) {
    if (file.mode == "160000") continue;
    list += file.mode + " " + file.blob + "\t" + file.path + '\0';
  }
  const Git filling = git.with_index(index).with_work_tree(folder);
  filling.ask({"update-index", "-z", "--add", "--index-info"}, "list the release's files",
              std::move(list));
  filling.ask({"checkout-index", "--all", "--force", "--quiet"},
              "write the release's files to " + folder);
  fs::remove(index, none);
}

}  // namespace drydock::source
