#include "script_places.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#include "compose_command.h"
#include "compose_patience.h"
#include "migrator.h"
#include "tar_stream.h"

namespace drydock::alembic {
namespace {

namespace fs = std::filesystem;

// Migration scripts are far from this; an application's other files may not be.
constexpr std::uintmax_t most_bytes = 64 << 20;

bool is_text(const std::string& path) {
  const std::string end = fs::path(path).extension().string();
  return end == ".py" || end == ".ini";
}

// Whether one of the two lies in the other, or they are the same.
bool overlap(std::string one, std::string other) {
  for (std::string* path : {&one, &other}) {
    *path = fs::path(*path).lexically_normal().string();
    if (path->empty() || path->back() != '/') *path += '/';
  }
  if (one.size() > other.size()) std::swap(one, other);
  return other.compare(0, one.size(), one) == 0;
}

std::string read_whole(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(stream), {});
  if (!stream) throw Unreadable("cannot read " + file.string());
  return text;
}

struct TemporaryFile {
  std::string path;
  ~TemporaryFile() {
    std::error_code ignored;
    fs::remove(path, ignored);
  }
};

// The first folder of a name in the tar is the path that was asked for, whatever it is called.
std::string placed(const std::string& path, const std::string& name) {
  const std::size_t slash = name.find('/');
  return slash == std::string::npos ? path : path + name.substr(slash);
}

ScriptFiles unpacked(const std::string& path, const std::string& archive) {
  std::error_code failed;
  if (fs::file_size(archive, failed) > most_bytes || failed) {
    throw Unreadable(path + " holds more than " + std::to_string(most_bytes >> 20) + " MiB");
  }
  const std::string stream = read_whole(archive);
  ScriptFiles result;
  for (const TarEntry& entry : read_tar(stream)) {
    const std::string name = placed(path, entry.name);
    if (entry.kind == TarEntry::Kind::link) result.links.insert(name);
    if (entry.kind == TarEntry::Kind::file && is_text(name)) result.texts[name] = entry.content;
  }
  return result;
}

void read_local(const fs::path& root, const std::string& shown_as, ScriptFiles& files,
                std::uintmax_t& bytes) {
  const auto add = [&](const fs::path& file, const std::string& name) {
    if (!is_text(name)) return;
    bytes += fs::file_size(file);
    if (bytes > most_bytes) {
      throw Unreadable(shown_as + " holds more than " + std::to_string(most_bytes >> 20) + " MiB");
    }
    files.texts[name] = read_whole(file);
  };
  if (fs::is_regular_file(root)) return add(root, shown_as);
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root)) {
    const std::string name =
        shown_as + "/" + entry.path().lexically_relative(root).generic_string();
    if (entry.is_regular_file())  // through a link, too, as Python reads it
      add(entry.path(), name);
    else if (entry.is_symlink())
      files.links.insert(name);
  }
}

}  // namespace

ImagePlace::~ImagePlace() {
  if (container_.empty()) return;
  try {
    remove_container();
  } catch (...) {
    // A step that is cancelled starts nothing more. Its rollback removes what is noted.
  }
}

std::optional<ScriptFiles> ImagePlace::files(const std::string& path) {
  refuse_mounted(path);
  if (call_.planning_dir().empty()) {
    const TemporaryFile archive{call_.private_dir() + "/scripts.tar"};
    if (!copy_out(path, archive.path)) return std::nullopt;
    return unpacked(path, archive.path);
  }
  const fs::path folder = fs::path(call_.planning_dir()) / "scripts" / service_.image_id;
  fs::create_directories(folder);
  const std::string kept = (folder / std::to_string(std::hash<std::string>{}(path))).string();
  if (fs::exists(kept + ".none")) return std::nullopt;
  if (!fs::exists(kept)) {
    if (!copy_out(path, kept + ".part")) {
      fs::remove(kept + ".part");
      std::ofstream(kept + ".none").close();
      return std::nullopt;
    }
    fs::rename(kept + ".part", kept);
  }
  return unpacked(path, kept);
}

void ImagePlace::refuse_mounted(const std::string& path) const {
  for (const std::string& mounted : service_.mounted) {
    if (!overlap(mounted, path)) continue;
    throw Unreadable("the service has something mounted at " + mounted +
                     ", so its container does not see the image's own " + path);
  }
}

// False: the image has no such path.
bool ImagePlace::copy_out(const std::string& path, const std::string& archive) {
  create_container();
  Process copy{{"docker", "cp", "--follow-link", container_ + ":" + path, "-"}};
  copy.output_file = archive;
  const Captured copied = compose::answer_of(call_, copy);
  if (copied.exit.ok()) return true;
  for (const char* sign : {"Could not find the file", "no such file", "No such container:path"}) {
    if (copied.err.find(sign) != std::string::npos) return false;
  }
  throw Unreadable(
      compose::engine_refused(copied, "copy " + path + " out of the image " + service_.image)
          .what());
}

void ImagePlace::create_container() {
  if (!container_.empty()) return;
  const std::string name = container_name(call_, "scripts");
  if (!call_.run_label().empty()) note_container(call_, name);
  container_ = name;
  Captured created = create();
  if (!created.exit.ok() && created.err.find("is already in use") != std::string::npos) {
    // Of a plan that was killed, or of a command that lost the engine.
    remove_container();
    created = create();
  }
  if (created.exit.ok()) return;
  container_.clear();
  throw Unreadable(
      compose::engine_refused(created, "create a container of the image " + service_.image).what());
}

Captured ImagePlace::create() const {
  const std::string label =
      call_.run_label().empty() ? "drydock.plan=" + call_.deployment_dir() : call_.run_label();
  // It is never started; but without a command the engine refuses an image that names none.
  return compose::answer_of(
      call_, {{"docker", "create", "--pull", "never", "--name", container_name(call_, "scripts"),
               "--label", label, "--network", "none", service_.image_id, "true"}});
}

void ImagePlace::remove_container() const {
  const Captured removed =
      compose::answer_of(call_, {{"docker", "rm", "--force", "--volumes", container_}});
  if (removed.exit.ok() || removed.err.find("No such container") != std::string::npos) return;
  call_.warn(compose::engine_refused(removed, "remove the container " + container_).what());
}

std::optional<ScriptFiles> LocalPlace::files(const std::string& path) {
  ScriptFiles result;
  std::uintmax_t bytes = 0;
  bool found = false;
  try {
    for (const std::string& root : {path, call_.planned(path)}) {
      if ((root == path && found) || !fs::exists(root)) continue;
      found = true;
      read_local(root, path, result, bytes);
    }
  } catch (const fs::filesystem_error& e) {
    throw Unreadable(e.what());
  }
  if (!found) return std::nullopt;
  return result;
}

}  // namespace drydock::alembic
