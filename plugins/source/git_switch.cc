#include "git_switch.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>

#include "fields.h"
#include "file_store.h"

namespace drydock::source {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t largest_index = std::size_t{1} << 30;

Git git_of(const Call& call, const GitNote& note) { return Git(call, note.git_dir, note.root); }
std::string kept(const Call& call, const char* name) { return call.private_dir() + "/" + name; }

// What root makes in somebody's repository belongs to them, or their own git fails from then on.
void give_to_owner(const GitNote& note, const std::string& path) {
  struct stat folder {
  }, made{};
  if (::geteuid() != 0 || ::stat(note.git_dir.c_str(), &folder) != 0 || folder.st_uid == 0) return;
  if (::lstat(path.c_str(), &made) != 0 || made.st_uid != 0) return;
  if (::lchown(path.c_str(), folder.st_uid, folder.st_gid) != 0) {
    throw Failed("cannot give " + path + " to the repository's owner: " + std::strerror(errno));
  }
}

files::Attributes attributes_beside(const std::string& folder, mode_t mode) {
  files::Attributes attributes{mode};
  const auto of_folder = files::attributes(folder);
  if (::geteuid() == 0 && of_folder) {
    attributes.uid = of_folder->uid;
    attributes.gid = of_folder->gid;
  }
  return attributes;
}

// As git does it: whoever makes FILE.lock may write FILE. It appears whole, so that a lock which we
// left behind can be told from anybody else's by what is in it.
void write_locked(const std::string& file, const std::string& bytes,
                  const files::Attributes& attributes) {
  const std::string lock = file + ".lock";
  files::remove_leftovers(lock);
  // A prompt that shows `git status` has it for a moment.
  for (int tries = 100; fs::exists(lock) && tries > 0; --tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  files::Replacement replacement(lock);
  replacement.set(attributes);
  replacement.write(bytes);
  try {
    replacement.commit_new();
  } catch (const files::FileError&) {
    if (!fs::exists(lock)) throw;
    throw Failed(lock +
                 " is there: another git is at work in the checkout, or died there; wait "
                 "for it, or remove the file, and repeat");
  }
  if (::rename(lock.c_str(), file.c_str()) != 0) files::throw_file_error("replace", file);
  files::sync_directory(fs::path(file).parent_path().string());
}

void write_locked_if_other(const std::string& file, const std::string& bytes,
                           const files::Attributes& attributes) {
  if (files::read_if_present(file, largest_index) == bytes) return;
  write_locked(file, bytes, attributes);
}

// How much of what is to be written a lock holds when whoever writes it is killed.
enum class Written { whole, in_part };

// An empty lock tells nobody whose it is, and git has it for the moment between making and writing
// it: only one that stays empty is of a git that died.
bool is_dead(const std::string& lock) {
  struct stat before {
  }, after{};
  if (::lstat(lock.c_str(), &before) != 0) return false;
  std::this_thread::sleep_for(std::chrono::seconds(2));
  return ::lstat(lock.c_str(), &after) == 0 && after.st_size == 0 &&
         before.st_ino == after.st_ino && before.st_ctim.tv_sec == after.st_ctim.tv_sec &&
         before.st_ctim.tv_nsec == after.st_ctim.tv_nsec;
}

void remove_if(const std::string& lock, Written written, const std::vector<std::string>& ours) {
  const auto found = files::read_if_present(lock, largest_index);
  if (!found || (found->empty() && !is_dead(lock))) return;
  for (const std::string& own : ours) {
    if (written == Written::whole ? *found != own : !own.starts_with(*found)) continue;
    if (::unlink(lock.c_str()) != 0 && errno != ENOENT) files::throw_file_error("remove", lock);
    return;
  }
}

std::string reflog_words(const std::string& from, const std::string& to) {
  return "checkout: moving from " + from + " to " + to;  // as `git checkout` writes it
}

std::string name_before(const GitNote& note) {
  Checkout checkout;
  checkout.branch = note.branch;
  checkout.head = note.head;
  return note.branch.empty() ? note.head : checkout.head_name();
}

void give_head_to_owner(const GitNote& note) {
  for (const char* name : {"/HEAD", "/logs/HEAD", "/logs"})
    give_to_owner(note, note.git_dir + name);
}

// The pack's name is the hash of what is in it.
std::string pack_of(const Call& call) {
  std::error_code none;
  for (const auto& found : fs::directory_iterator(call.private_dir(), none)) {
    const fs::path& path = found.path();
    if (path.extension() == ".idx") return path.stem().string();
  }
  return "";
}

void import_pack(const Call& call, const GitNote& note) {
  const std::string name = pack_of(call), folder = note.common_dir + "/objects/pack";
  if (name.empty()) return;
  files::make_directories(folder, 0755);
  give_to_owner(note, folder);
  for (const char* end :
       {".pack", ".idx"}) {  // git looks for an .idx and trusts that the rest is there
    const std::string to = folder + "/" + name + end, from = kept(call, (name + end).c_str());
    files::remove_leftovers(to);
    if (fs::exists(to)) continue;
    files::write(to, files::read(from, largest_index), attributes_beside(folder, 0444));
  }
}

void add_shallow(const Call&, const GitNote& note) {
  const std::string file = note.common_dir + "/shallow";
  std::string text = files::read_if_present(file).value_or("");
  if (text.find(note.commit + "\n") != text.npos) return;
  text += note.commit + "\n";
  write_locked(file, text, attributes_beside(note.common_dir, 0644));
}

// Unpacked as it was made it is one file. git would lock all packed ones to remove it, and a kill
// would leave a lock of which nobody can say whose it is.
void remove_tag(const Git& git, const GitNote& note) {
  const std::string name = "refs/tags/" + note.tag, file = note.common_dir + "/" + name;
  const auto packed = files::read_if_present(note.common_dir + "/packed-refs", largest_index);
  const bool is_packed = packed && packed->find(" " + name + "\n") != std::string::npos;
  if (!is_packed && files::read_if_present(file) == note.object + "\n") {
    if (::unlink(file.c_str()) != 0 && errno != ENOENT) files::throw_file_error("remove", file);
    std::vector<std::string> folders = folders_above(name);  // "refs" and "refs/tags" stay
    while (folders.size() > 2 && ::rmdir((note.common_dir + "/" + folders.back()).c_str()) == 0) {
      folders.pop_back();
    }
    files::sync_directory(note.common_dir + "/" + folders.back());
    return;
  }
  if (git.line({"rev-parse", "--verify", "--quiet", name}) != note.object) return;  // not ours
  git.ask({"update-ref", "-d", name, note.object}, "remove the tag " + note.tag);
}

}  // namespace

GitNote note_for(const Call& call, const GitUpgrade& upgrade) {
  const Checkout& checkout = upgrade.checkout;
  const bool is_there = checkout.git(call).holds({"cat-file", "-e", upgrade.tag.commit});
  return {checkout.root,
          checkout.git_dir,
          checkout.common_dir,
          checkout.folder,
          checkout.branch,
          checkout.head,
          upgrade.tag.name,
          upgrade.tag.object,
          upgrade.tag.commit,
          upgrade.tag.fetched.empty(),
          checkout.shallow && !is_there};
}

std::string encoded(const GitNote& note) {
  return joined_fields(std::vector<std::string>{
      note.root, note.git_dir, note.common_dir, note.folder, note.branch, note.head, note.tag,
      note.object, note.commit, note.had_tag ? "1" : "0", note.shallow ? "1" : "0"});
}

GitNote decoded(const std::string& text) {
  const std::vector<std::string> fields = fields_of(text);
  if (fields.size() != 11) throw Failed("the note of the git checkout is damaged");
  return {fields[0], fields[1], fields[2], fields[3],        fields[4],        fields[5],
          fields[6], fields[7], fields[8], fields[9] == "1", fields[10] == "1"};
}

void keep_git_state(const Call& call, const GitUpgrade& upgrade) {
  const Checkout& checkout = upgrade.checkout;
  for (const char* lock : {"/index.lock", "/HEAD.lock"}) {
    if (!fs::exists(checkout.git_dir + lock)) continue;
    throw Failed(checkout.git_dir + lock +
                 " is there: another git is at work in the checkout, or died there; wait for it, "
                 "or remove the file");
  }
  files::copy_file(checkout.git_dir + "/index", kept(call, "index"));
  if (checkout.shallow) files::copy_file(checkout.common_dir + "/shallow", kept(call, "shallow"));
  if (upgrade.tag.fetched.empty()) return;
  std::error_code none;
  for (const auto& found : fs::directory_iterator(call.private_dir())) {
    const std::string name = found.path().filename().string();
    if (name.rfind("pack-", 0) == 0) fs::remove(found.path(), none);
  }
  // What the checkout has itself is lent to the other repository, and so left out.
  const Git git(call, upgrade.tag.fetched);
  git.ask({"pack-objects", "--quiet", "--revs", "--local", "--non-empty", "--all-progress-implied",
           kept(call, "pack")},
          "pack what the release brings", upgrade.tag.object + "\n");
}

void remove_own_locks(const Call& call, const GitNote& note) {
  std::vector<std::string> indexes;
  for (const char* name : {"index", "index.new"}) {
    if (const auto bytes = files::read_if_present(kept(call, name), largest_index)) {
      indexes.push_back(*bytes);
    }
  }
  files::remove_leftovers(note.git_dir + "/index.lock");
  remove_if(note.git_dir + "/index.lock", Written::whole, indexes);
  // These git writes itself, piece by piece.
  remove_if(note.git_dir + "/HEAD.lock", Written::in_part,
            {note.commit + "\n", note.head + "\n", "ref: " + note.branch + "\n"});
  remove_if(note.common_dir + "/refs/tags/" + note.tag + ".lock", Written::in_part,
            {note.object + "\n"});
  for (const char* end : {".pack", ".idx"}) {
    files::remove_leftovers(note.common_dir + "/objects/pack/" + pack_of(call) + end);
  }
  if (!note.shallow) return;
  files::remove_leftovers(note.common_dir + "/shallow.lock");
  const std::string before = files::read_if_present(kept(call, "shallow")).value_or("");
  remove_if(note.common_dir + "/shallow.lock", Written::whole,
            {before, before + note.commit + "\n"});
}

void bring_tag(const Call& call, const GitNote& note) {
  if (note.had_tag) return;
  import_pack(call, note);
  if (note.shallow) add_shallow(call, note);
  const Git git = git_of(call, note);
  git.ask({"update-ref", "refs/tags/" + note.tag, note.object}, "make the tag " + note.tag);
  for (const std::string& folder : folders_above("refs/tags/" + note.tag)) {
    give_to_owner(note, note.common_dir + "/" + folder);
  }
  give_to_owner(note, note.common_dir + "/refs/tags/" + note.tag);
}

void switch_commit(const Call& call, const GitNote& note) {
  const Git git = git_of(call, note);
  // Entries that stay keep what git knows of their files, so that it need not read them again.
  const std::string fresh = kept(call, "index.new");
  files::remove_leftovers(fresh);
  std::error_code none;
  fs::remove(fresh + ".lock", none);
  files::copy_file(kept(call, "index"), fresh);
  const Git indexing = git.with_index(fresh);
  indexing.ask({"read-tree", "-i", "-m", note.commit}, "make the index of " + note.tag);
  indexing.attempt({"update-index", "-q", "--refresh"});  // with 1 where the operator's edits are
  if (git.line({"rev-parse", "HEAD"}) != note.commit ||
      !git.line({"symbolic-ref", "-q", "HEAD"}).empty()) {
    git.ask({"update-ref", "--no-deref", "-m", reflog_words(name_before(note), note.tag), "HEAD",
             note.commit},
            "check out " + note.tag);
    give_head_to_owner(note);
  }
  const std::string index = note.git_dir + "/index";
  const auto attributes = files::attributes(index);
  write_locked_if_other(index, files::read(fresh, largest_index),
                        attributes ? *attributes : attributes_beside(note.git_dir, 0644));
}

void switch_commit_back(const Call& call, const GitNote& note) {
  const Git git = git_of(call, note);
  const std::string now = git.line({"rev-parse", "--verify", "--quiet", "HEAD"});
  const std::string branch = git.line({"symbolic-ref", "--quiet", "HEAD"});
  if (branch != note.branch || (branch.empty() && now != note.head)) {
    if (now != note.commit && now != note.head) {
      call.warn("the checkout was at " + now.substr(0, 12) +
                (branch.empty() ? "" : " (" + branch + ")") +
                ", where this run did not bring it; `git reflog` still shows it");
    }
    const std::string words = reflog_words(note.tag, name_before(note));
    if (note.branch.empty()) {
      git.ask({"update-ref", "--no-deref", "-m", words, "HEAD", note.head}, "put HEAD back");
    } else {
      git.ask({"symbolic-ref", "-m", words, "HEAD", note.branch}, "put HEAD back");
    }
    give_head_to_owner(note);
  }
  const files::Attributes attributes = *files::attributes(kept(call, "index"));
  write_locked_if_other(note.git_dir + "/index", files::read(kept(call, "index"), largest_index),
                        attributes);
  if (note.had_tag) return;
  remove_tag(git, note);
  if (!note.shallow) return;
  write_locked_if_other(note.common_dir + "/shallow", files::read(kept(call, "shallow")),
                        *files::attributes(kept(call, "shallow")));
}

void verify_commit(const Call& call, const GitNote& note) {
  const Git git = git_of(call, note);
  const std::string head = git.line({"rev-parse", "--verify", "--quiet", "HEAD"});
  if (head != note.commit) {
    throw Failed("the checkout " + note.root + " is at " + head.substr(0, 12) + ", and not at " +
                 note.tag + " (" + note.commit.substr(0, 12) +
                 "); somebody changed it during the run");
  }
  if (!git.holds({"diff-index", "--cached", "--quiet", note.commit})) {
    throw Failed("git's index in " + note.root + " is not that of " + note.tag +
                 "; somebody changed it during the run");
  }
}

}  // namespace drydock::source
