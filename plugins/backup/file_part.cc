// The option `files`.
#include <sys/stat.h>

#include "digest.h"
#include "file_store.h"
#include "kept_files.h"
#include "manifest.h"
#include "parts.h"
#include "planned_backups.h"
#include "stopwatch.h"

namespace drydock::backup {
namespace {

std::string attributes_text(const KeptFile& file) {
  char mode[8];
  std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(file.mode));
  return std::string(mode) + " " + std::to_string(file.uid) + ":" + std::to_string(file.gid);
}

// The list is what says what was kept, so that it and the copies are the backup's contents.
void note_files(const Call& call, const std::string& folder, const std::string& list,
                const std::string& taken, double seconds) {
  Manifest manifest;
  manifest.kind = "files";
  manifest.taken = taken;
  manifest.seconds = seconds;
  for (const KeptFile& file : read_manifest(call, list)) {
    if (file.kind == KeptFile::Kind::file) {
      manifest.contents.push_back({file.copy, file.bytes, file.sha256});
    }
  }
  const std::size_t count = manifest.contents.size();
  manifest.name = std::to_string(count) + (count == 1 ? " file" : " files");
  const std::string path = call.private_dir() + "/" + list;
  manifest.contents.push_back(
      {list, static_cast<std::int64_t>(files::read(path).size()), sha256_file(path)});
  write_manifest(call, folder, manifest);
}

}  // namespace

void FilePart::observe(const Call& call) {
  for (const KeptFile& file : find_files(call, call.texts("/files"))) {
    const std::string name = "file." + shown(call, file.path);
    switch (file.kind) {
      case KeptFile::Kind::absent:
        call.fact(name, "absent");
        break;
      case KeptFile::Kind::folder:
        call.fact(name, "folder " + attributes_text(file));
        break;
      case KeptFile::Kind::link:
        call.fact(name, "link to " + file.target);
        break;
      case KeptFile::Kind::file:
        call.fact(name, "file " + attributes_text(file));
        // A secret, since a configuration with a short password could be found by trying.
        call.secret_fact(name + ".content", sha256_file(file.path));
        break;
    }
  }
}

void FilePart::plan(const Call& call) {
  for (const KeptFile& file : find_files(call, call.texts("/files"))) {
    if (file.kind == KeptFile::Kind::folder) continue;
    Change change{"file", "save", shown(call, file.path)};
    change.disk_bytes = file.bytes;
    if (file.kind == KeptFile::Kind::absent) {
      change.detail = "is not there; what appears is moved away in a rollback";
    }
    call.change(change);
  }
  for (const std::string& pattern : call.texts("/files")) plan_to_save_file(call, pattern);
}

std::int64_t FilePart::bytes_needed(const Call& call) {
  std::int64_t bytes = 0;
  for (const KeptFile& file : find_files(call, call.texts("/files"))) bytes += file.bytes;
  return bytes;
}

void FilePart::run(const Call& call) {
  const std::vector<std::string> patterns = call.texts("/files");
  if (patterns.empty()) return;
  const std::string folder = "files" + attempt_suffix(call);
  const std::string manifest = folder + ".json";
  std::string taken;
  const Stopwatch watch(taken);
  keep_files(call, find_files(call, patterns), folder, manifest);
  const std::string path = call.private_dir() + "/" + folder;
  std::string all;
  for (const std::string& pattern : patterns) all += pattern + "\n";
  note_files(call, folder, manifest, taken, watch.seconds());
  call.remember("files/patterns", all);
  call.remember("files/manifest", manifest);
  call.artifact("files", path, "files of the deployment as they were");
}

void FilePart::verify(const Call& call) {
  if (const auto manifest = call.recall("files/manifest")) {
    check_copies(call, read_manifest(call, *manifest));
  }
}

void FilePart::rollback(const Call& call) {
  const auto manifest = call.recall("files/manifest");
  if (!manifest) return;
  std::vector<std::string> patterns(1);
  for (char c : call.recall("files/patterns").value_or("")) {
    if (c == '\n')
      patterns.emplace_back();
    else
      patterns.back() += c;
  }
  patterns.pop_back();
  for (const std::string& path :
       put_back(call, read_manifest(call, *manifest), patterns, aside_folder)) {
    call.info("put back " + path);
  }
}

}  // namespace drydock::backup
