#include "env_sync_stage.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>

#include "changed_files.h"
#include "compose_proof.h"
#include "digest.h"
#include "file_store.h"
#include "options.h"
#include "report.h"
#include "sync.h"
#include "templates.h"

namespace drydock::env_sync {
namespace {

// Note and files of the private folder.
// "present MODE UID GID" and, where one is kept, " " and the path of the copy under history_dir;
// "absent"; "removed": it was absent, and is so again; or "left": somebody else changed it before
// the stage did.
constexpr auto before_note = "before";
std::string saved_env(const Call& call) { return call.private_dir() + "/env.before"; }
std::string planned_env(const Call& call) { return call.private_dir() + "/env.planned"; }

std::string env_path(const Call& call) { return call.deployment(call.text("/env")); }

std::string written(const files::Attributes& attributes) {
  char text[64];
  std::snprintf(text, sizeof text, "%04o %u %u", attributes.mode, attributes.uid, attributes.gid);
  return text;
}

// A link in the place of the file, or another link, is another file.
std::string seen(const std::string& path) {
  const auto attributes = files::attributes(path);
  std::error_code no_link;
  const std::string target = std::filesystem::read_symlink(path, no_link).string();
  return (attributes ? written(*attributes) : "absent") +
         (no_link ? std::string() : ", by a link to " + target);
}

struct Present {
  files::Attributes attributes;
  std::string copy;  // "": none
};

std::optional<Present> present_in(const std::string& note) {
  Present found;
  int end = 0;
  files::Attributes& attributes = found.attributes;
  if (std::sscanf(note.c_str(), "present %o %u %u%n", &attributes.mode, &attributes.uid,
                  &attributes.gid, &end) != 3) {
    return std::nullopt;
  }
  if (note.size() > static_cast<std::size_t>(end)) found.copy = note.substr(end + 1);
  return found;
}

std::string note_of(const Present& before) {
  return "present " + written(before.attributes) + (before.copy.empty() ? "" : " " + before.copy);
}

template <class Work>
auto with_merge_errors(const Work& work) {
  try {
    return work();
  } catch (const MergeError& e) {
    throw Failed(std::string(e.what()) + "; nothing was written");
  }
}

std::optional<std::string> read_env(const Call& call) {
  return files::read_if_present(env_path(call), largest_env_file);
}

// Unless somebody wrote the file since it was read. `earlier`: what an earlier attempt wrote.
void replace(Call& call, const std::string& path, const std::optional<std::string>& read,
             const std::optional<std::string>& earlier, const std::string& merged) {
  files::Replacement file(path);
  file.write(merged);
  const std::optional<std::string> now = files::read_if_present(path, largest_env_file);
  if (now != read && (!earlier || now != earlier)) {
    call.remember(before_note, "left");
    throw Failed(path +
                 " was changed by somebody else while it was merged; it was left as it is, "
                 "plan again");
  }
  file.commit();
}

// Whether an earlier attempt of the stage has noted how the file was, and kept it.
bool has_kept_env(const Call& call) {
  const auto note = call.recall(before_note);
  return note && *note != "left";
}

// `.env` as it was before the stage, also when an earlier attempt has changed it already.
std::optional<std::string> old_env(const Call& call) {
  if (!has_kept_env(call)) return read_env(call);
  if (!present_in(*call.recall(before_note))) return std::nullopt;
  return files::read(saved_env(call));
}

// For git: the copies and this list alone, since the folder may hold other things too.
constexpr auto ignored = "/.gitignore\n*.backup_*\n";

std::string ignore_file(const std::string& copy) {
  return std::filesystem::path(copy).parent_path().string() + "/.gitignore";
}

// Temporary files of a death while the copy was written.
void remove_leftovers_of_copy(const std::string& copy) {
  if (copy.empty()) return;
  files::remove_leftovers(copy);
  files::remove_leftovers(ignore_file(copy));
}

bool keeps_history(const Call& call) {
  return call.has("/history_dir") && !call.text("/history_dir").empty();
}

// A new name for a copy, as the tools before named theirs.
std::string new_copy(const Call& call) {
  const std::string dir = call.deployment(call.text("/history_dir"));
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  char stamp[32];
  std::strftime(stamp, sizeof stamp, "%Y%m%d_%H%M%S", &local);
  const std::string name =
      dir + "/" + std::filesystem::path(env_path(call)).filename().string() + ".backup_" + stamp;
  std::string path = name;
  for (int n = 2; files::attributes(path); ++n) path = name + "_" + std::to_string(n);
  return path;
}

// On disk before it is noted: the file as it was, what is to come of it, and word for later stages.
void keep(Call& call, const std::optional<std::string>& old, const std::string& merged) {
  files::Replacements kept;
  kept.add(files::replacement(planned_env(call), merged));
  if (old != merged) {
    files::leave_changed(kept, call.private_dir(), call.run_id(), {env_path(call)});
  }
  const bool is_noted = has_kept_env(call);
  if (old && !is_noted) kept.add(files::replacement(saved_env(call), *old));
  kept.commit();
  if (!old) {
    if (!is_noted) call.remember(before_note, "absent");
    return;
  }
  Present before = is_noted ? *present_in(*call.recall(before_note))
                            : Present{*files::attributes(env_path(call)), ""};
  const bool needs_copy = old != merged && keeps_history(call) && before.copy.empty();
  if (needs_copy) before.copy = new_copy(call);
  if (needs_copy || !is_noted) call.remember(before_note, note_of(before));
}

void write_copy(const Call& call, const std::string& path, const std::string& bytes) {
  files::make_directories(std::filesystem::path(path).parent_path().string());
  if (!files::attributes(ignore_file(path))) files::write(ignore_file(path), ignored);
  files::Replacement copy(path);
  copy.set(*files::attributes(env_path(call)));
  copy.write(bytes);
  copy.commit_new();
}

// The copy that operators know from the tools before: never overwritten, never removed by us.
void keep_history(const Call& call, const std::string& bytes) {
  const std::string copy = present_in(*call.recall(before_note))->copy;
  if (copy.empty() || files::attributes(copy)) return;
  remove_leftovers_of_copy(copy);
  write_copy(call, copy, bytes);
}

// What somebody wrote into the file after the stage did is lost to nobody, although it is put back.
void keep_foreign(Call& call, const std::string& old) {
  if (!keeps_history(call)) return;
  try {
    const std::optional<std::string> now = files::read_if_present(env_path(call), largest_env_file);
    if (!now || *now == old || now == files::read_if_present(planned_env(call))) return;
    const std::string path = new_copy(call);
    write_copy(call, path, *now);
    call.warn(call.text("/env") + " was changed during the run by somebody else; that version is " +
              path);
  } catch (const files::FileError& e) {
    call.warn("what stands in the place of " + call.text("/env") + " cannot be kept: " + e.what());
  }
}

void remove_env(const std::string& path) {
  const std::string file = files::resolve_links(path);
  if (::unlink(file.c_str()) != 0 && errno != ENOENT) {
    throw Failed("cannot remove " + file + ": " + std::strerror(errno));
  }
  const std::string dir = std::filesystem::path(file).parent_path().string();
  // A link may lead into a folder that is not there: what was never made needs no removal.
  if (dir.empty() || files::attributes(dir)) files::sync_directory(dir.empty() ? "." : dir);
}

void put_back(Call& call, const std::string& note) {
  const std::string path = env_path(call);
  files::remove_leftovers(path);
  const auto before = present_in(note);
  if (!before) {
    if (note == "removed") return;  // what is there by now was put there by somebody else
    remove_env(path);
    call.remember(before_note, "removed");
    return;
  }
  remove_leftovers_of_copy(before->copy);
  const std::string bytes = files::read(saved_env(call));
  if (files::attributes(path) == before->attributes && files::read(path) == bytes) return;
  keep_foreign(call, bytes);
  files::write(path, bytes, before->attributes);
}

// What the run would meet. Who plans may be somebody else than who runs, so that what only root may
// do is a warning.
void foresee(Call& call) {
  const std::string file = call.text("/env"), path = env_path(call);
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) {
    if (status.st_nlink > 1) {
      call.warn(file + " has " + std::to_string(status.st_nlink) +
                " hard links; the other names keep the old content");
    }
    if (::geteuid() != 0 && ::geteuid() != status.st_uid) {
      call.warn(file + " belongs to user " + std::to_string(status.st_uid) + ", this is user " +
                std::to_string(::geteuid()) + "; only that user or root can replace it");
    }
  }
  if (!keeps_history(call)) return;
  const std::string folder = call.deployment(call.text("/history_dir"));
  if (::stat(folder.c_str(), &status) == 0 && !S_ISDIR(status.st_mode)) {
    throw Failed("history_dir: " + folder +
                 " is no folder; name another one, or move what stands there");
  }
}

}  // namespace

void EnvSync::observe(Call& call) {
  const std::string file = call.text("/env");
  call.fact("file " + file, seen(env_path(call)));
  const std::optional<std::string> bytes = files::read_if_present(env_path(call));
  if (bytes) call.secret_fact("content of " + file, sha256(*bytes));
}

void EnvSync::plan(Call& call) {
  const std::string file = call.text("/env"), base = call.text("/base");
  const bool a_file = base != "auto" && base != "none" && base.rfind("git:", 0) != 0;
  if (!base.empty() && a_file) call.input(base);
  const std::optional<std::string> ours = read_env(call);
  const std::string copy = call.planned_dir() + "/" + file;
  files::make_directories(std::filesystem::path(copy).parent_path().string());
  const Sync sync =
      with_merge_errors([&] { return synchronise(call, ours, env_path(call), copy); });
  for (const std::string& name : sync.templates) call.input(name);
  files::write_planned(copy, *sync.merge.text);
  foresee(call);
  if (call.has("/explain")) {
    explain(call, sync, call.text("/explain"));
  } else {
    report(call, sync, ours.has_value(), ours != *sync.merge.text);
  }
  call.info(file + ": " + totals(sync));
}

void EnvSync::run(Call& call) {
  if (call.has("/explain")) {
    throw BadOptions("explain: it shows one variable of a plan; leave it out to run the stage");
  }
  const std::string path = env_path(call);
  files::remove_leftovers(path);
  const std::optional<std::string> ours = old_env(call);
  const std::optional<std::string> earlier = files::read_if_present(planned_env(call));
  const std::string as_it_was = has_kept_env(call) ? saved_env(call) : path;
  const Sync sync =
      with_merge_errors([&] { return synchronise(call, ours, as_it_was, planned_env(call)); });
  keep(call, ours, *sync.merge.text);
  if (ours == *sync.merge.text) return;
  if (ours) keep_history(call, *ours);
  call.throw_if_cancelled();
  replace(call, path, ours, earlier, *sync.merge.text);
  call.info(call.text("/env") + ": " + totals(sync));
}

void EnvSync::verify(Call& call) {
  const std::string file = call.text("/env");
  std::string text_planned = files::read(planned_env(call)), text_now = files::read(env_path(call));
  if (text_now == text_planned) return;
  const EnvFile file_planned = EnvFile::parse(std::move(text_planned));
  const EnvValues planned = evaluate_here(file_planned);
  const EnvFile file_now = EnvFile::parse(std::move(text_now));
  const EnvValues now = evaluate_here(file_now);
  if (now.error()) throw Failed(file + " is not readable for Compose: " + now.error()->explain());
  for (const std::string_view key : planned.keys()) {
    const std::string_view* wanted = planned.find(key);
    const std::string_view* found = now.find(key);
    if ((wanted == nullptr) == (found == nullptr) && (wanted == nullptr || *wanted == *found)) {
      continue;
    }
    throw Failed(std::string(key) + " in " + file + " is not what was planned; somebody changed " +
                 "the file during the run");
  }
}

void EnvSync::rollback(Call& call) {
  const auto note = call.recall(before_note);
  // Without one it died before its first change.
  if (note && *note != "left") put_back(call, *note);
  files::take_back_changed(call.private_dir(), call.run_id());
}

}  // namespace drydock::env_sync
