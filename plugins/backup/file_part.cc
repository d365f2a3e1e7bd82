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

// One for each attempt.
std::string manifest_id(const Call& call) { return "files" + attempt_suffix(call); }

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
      case KeptFile::Kind::special:  // of the new release; before a run it is refused
        call.fact(name, "socket, pipe or device");
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
  for (const KeptFile& file : files_to_keep(call, call.texts("/files"))) {
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
  for (const KeptFile& file : files_to_keep(call, call.texts("/files"))) bytes += file.bytes;
  return bytes;
}

void FilePart::run(const Call& call) {
  const std::vector<std::string> patterns = call.texts("/files");
  if (patterns.empty()) return;
  const std::string id = manifest_id(call);
  Manifest manifest;
  manifest.kind = "files";
  const Stopwatch watch(manifest.taken);
  const std::vector<KeptFile> kept = keep_files(call, files_to_keep(call, patterns), id);
  for (const KeptFile& file : kept) {
    if (file.kind == KeptFile::Kind::file) {
      manifest.contents.push_back({file.copy, file.bytes, file.sha256});
    }
  }
  const std::size_t count = manifest.contents.size();
  manifest.name = std::to_string(count) + (count == 1 ? " file" : " files");
  manifest.record = written(kept, patterns);
  manifest.seconds = watch.seconds();
  write_manifest(call, id, manifest);
  call.remember("files/manifest", id);
  call.artifact("files", call.private_dir() + "/" + id, "files of the deployment as they were");
}

void FilePart::verify(const Call& call) {
  if (const auto id = call.recall("files/manifest")) {
    check_copies(call, read_kept(call, *id).files);
  }
}

void FilePart::rollback(const Call& call) {
  const auto id = call.recall("files/manifest");
  if (!id) return;
  const KeptPatterns kept = read_kept(call, *id);
  put_back(call, kept.files, kept.patterns, aside_folder);
}

}  // namespace drydock::backup
