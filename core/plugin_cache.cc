#include "plugin_cache.h"

#include <drydock/stage.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "descriptor.h"
#include "digest.h"
#include "files.h"
#include "wire_messages.h"

namespace drydock {
namespace {

constexpr std::size_t largest_cache = 16u << 20;
constexpr std::size_t most_entries = 512;

// Descriptions are kept as the wire has them, so they are of no use to another version of it.
const char* const format =
    "3 " DRYDOCK_QUOTE(DRYDOCK_ABI_MAJOR) "." DRYDOCK_QUOTE(DRYDOCK_ABI_MINOR);

std::string cache_folder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && *cache == '/') return std::string(cache) + "/drydock";
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return std::string(home) + "/.cache/drydock";
  return "";
}

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1000000000 + time.tv_nsec;
}

// Everything that changes when a file is replaced or written to.
nlohmann::json as_json(const FileIdentity& file) {
  return {file.device, file.inode, file.size, file.modified_ns, file.changed_ns};
}

// The content of a file that only the user can have written; "" for everything else.
std::string read_own_file(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
      status.st_uid != ::geteuid() || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0 ||
      status.st_size > static_cast<off_t>(largest_cache)) {
    return "";
  }
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  const ssize_t got = ::read(file.get(), text.data(), text.size());
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

// A plugin's description whose schemas are moved to the end of `schemas`, with their places instead.
void move_schemas(nlohmann::json& plugin, std::string& schemas) {
  for (nlohmann::json& stage : plugin.at("stages")) {
    nlohmann::json& schema = stage.at("schema");
    if (!schema.is_string()) continue;  // bytes that are no UTF-8, as the wire has them
    const std::string text = schema;
    schema = {schemas.size(), text.size()};
    schemas += text;
  }
}

}  // namespace

FileIdentity identity_of(const std::string& path, const struct stat& status) {
  return {path,
          status.st_dev,
          status.st_ino,
          static_cast<std::uint64_t>(status.st_size),
          nanoseconds(status.st_mtim),
          nanoseconds(status.st_ctim)};
}

PluginCache PluginCache::load() {
  PluginCache cache;
  const std::string folder = cache_folder();
  if (folder.empty()) return cache;
  cache.path_ = folder + "/plugins";
  std::string text = read_own_file(cache.path_);
  const std::size_t line = std::min(text.find('\n'), text.size());
  nlohmann::json document = nlohmann::json::parse(text.begin(), text.begin() + line, nullptr, false);
  text.erase(0, line + 1);
  if (document.is_object() && document.value("format", nlohmann::json()) == format &&
      document["schemas_sha256"] == sha256(text) && document["plugins"].is_object()) {
    cache.entries_ = std::move(document["plugins"]);
    cache.schemas_ = std::move(text);
  }
  return cache;
}

nlohmann::json PluginCache::with_schemas(nlohmann::json plugin) const {
  for (nlohmann::json& stage : plugin.at("stages")) {
    nlohmann::json& schema = stage.at("schema");
    if (!schema.is_array()) continue;
    const std::size_t at = schema.at(0), size = schema.at(1);
    if (at > schemas_.size() || size > schemas_.size() - at) {
      throw WireError("the cache ends before a schema");
    }
    schema = schemas_.substr(at, size);
  }
  return plugin;
}

std::optional<KnownPlugin> PluginCache::find(const FileIdentity& file) const {
  const auto entry = entries_.find(file.path);
  try {
    if (entry == entries_.end() || entry->at("file") != as_json(file)) return std::nullopt;
    return KnownPlugin{read_description(with_schemas(entry->at("plugin"))),
                       entry->at("sha256").get<std::string>()};
  } catch (const WireError&) {
    return std::nullopt;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

void PluginCache::keep(const FileIdentity& file, const KnownPlugin& plugin) {
  if (entries_.size() >= most_entries) entries_.clear();
  entries_[file.path] = {{"file", as_json(file)},
                         {"sha256", plugin.sha256},
                         {"plugin", description_body(plugin.description)}};
  changed_ = true;
}

void PluginCache::save() {
  if (!changed_ || path_.empty()) return;
  const std::string folder = path_.substr(0, path_.rfind('/'));
  ::mkdir(folder.substr(0, folder.rfind('/')).c_str(), 0700);
  ::mkdir(folder.c_str(), 0700);
  try {
    nlohmann::json entries = entries_;
    std::string schemas;
    for (nlohmann::json& entry : entries) {
      entry["plugin"] = with_schemas(std::move(entry["plugin"]));
      move_schemas(entry["plugin"], schemas);
    }
    const nlohmann::json document = {
        {"format", format}, {"plugins", entries}, {"schemas_sha256", sha256(schemas)}};
    write_file_atomically(path_, document.dump() + "\n" + schemas);
  } catch (const std::exception&) {
    // Next time the plugins are probed again.
  }
  changed_ = false;
}

}  // namespace drydock
