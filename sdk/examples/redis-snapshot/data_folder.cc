#include "data_folder.h"

#include <unistd.h>

#include <filesystem>
#include <sstream>
#include <stdexcept>

#include "rdb_file.h"

namespace {

namespace fs = std::filesystem;

// What was put aside once is what the failed server had; what is there on a repetition is our own.
void move_aside(const fs::path& path, const std::string& suffix) {
  const fs::path aside = path.string() + ".failed-" + suffix;
  if (!fs::exists(fs::symlink_status(path))) return;
  if (fs::exists(aside)) {
    fs::remove_all(path);
  } else {
    rename_durably(path.string(), aside.string());
  }
}

// New files belong to whom the data belongs: in a container the server is another user.
Access access_in(const fs::path& folder) {
  Access access = access_of(folder.string());
  access.mode = 0640;
  return access;
}

void put_aof_folder(const fs::path& folder, const DataLayout& layout, const std::string& snapshot,
                    const Access& access, const std::function<void(std::uint64_t)>& progress) {
  const fs::path target = folder / layout.appenddirname, fresh = target.string() + ".new";
  const std::string base = layout.appendfilename + ".1.base.rdb";
  fs::remove_all(fresh);
  fs::create_directory(fresh);
  copy_durably(snapshot, (fresh / base).string(), access, progress);
  write_durably("file " + base + " seq 1 type b\n",
                (fresh / (layout.appendfilename + ".manifest")).string(), access);
  fs::permissions(fresh, static_cast<fs::perms>(0750));
  const Access made = access_of(fresh.string());
  if ((made.owner != access.owner || made.group != access.group) &&
      ::chown(fresh.c_str(), access.owner, access.group) != 0) {
    throw std::runtime_error(fresh.string() + " cannot be given to user " +
                             std::to_string(access.owner));
  }
  rename_durably(fresh.string(), target.string());
}

}  // namespace

std::string DataLayout::text() const {
  const char* kind = aof == Aof::none ? "rdb" : aof == Aof::file ? "aof-file" : "aof-folder";
  return std::string(kind) + "\n" + dbfilename + "\n" + appendfilename + "\n" + appenddirname;
}

DataLayout DataLayout::parse(const std::string& text) {
  std::istringstream lines(text);
  DataLayout result;
  std::string kind;
  std::getline(lines, kind);
  result.aof = kind == "rdb" ? Aof::none : kind == "aof-file" ? Aof::file : Aof::folder;
  std::getline(lines, result.dbfilename);
  std::getline(lines, result.appendfilename);
  std::getline(lines, result.appenddirname);
  return result;
}

void put_back(const std::string& folder, const DataLayout& layout, const std::string& snapshot,
              const std::string& suffix, const std::function<void(std::uint64_t)>& progress) {
  const fs::path data = folder;
  const Access access = access_in(data);
  for (const std::string& name : {layout.dbfilename, layout.appendfilename, layout.appenddirname}) {
    move_aside(data / name, suffix);
  }
  copy_durably(snapshot, (data / layout.dbfilename).string(), access, progress);
  if (layout.aof == DataLayout::Aof::file) {
    copy_durably(snapshot, (data / layout.appendfilename).string(), access, progress);
  } else if (layout.aof == DataLayout::Aof::folder) {
    put_aof_folder(data, layout, snapshot, access, progress);
  }
}
