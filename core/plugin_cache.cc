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
    "4 " DRYDOCK_QUOTE(DRYDOCK_ABI_MAJOR) "." DRYDOCK_QUOTE(DRYDOCK_ABI_MINOR);

std::string cache_folder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && *cache == '/') return std::string(cache) + "/drydock";
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return std::string(home) + "/.cache/drydock";
  return "";
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

// A plugin's description whose schemas are moved to the end of `schemas`, with their places
// instead.
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

PluginCache PluginCache::load() {
  PluginCache cache;
  const std::string folder = cache_folder();
  if (folder.empty()) return cache;
  cache.path_ = folder + "/plugins";
  std::string text = read_own_file(cache.path_);
  const std::size_t line = std::min(text.find('\n'), text.size());
  nlohmann::json document =
      nlohmann::json::parse(text.begin(), text.begin() + line, nullptr, false);
  text.erase(0, line + 1);
  if (document.is_object() && document.value("format", nlohmann::json()) == format &&
      document["schemas_sha256"] == sha256(text) && document["files"].is_object() &&
      document["plugins"].is_object()) {
    cache.files_ = std::move(document["files"]);
    cache.plugins_ = std::move(document["plugins"]);
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

std::optional<std::string> PluginCache::digest(const FileIdentity& file) const {
  const auto entry = files_.find(file.path);
  try {
    if (entry == files_.end() || entry->at("file") != identity_body(file)) return std::nullopt;
    return entry->at("sha256").get<std::string>();
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

std::optional<PluginDescription> PluginCache::description(const std::string& sha256) const {
  const auto entry = plugins_.find(sha256);
  try {
    if (entry == plugins_.end()) return std::nullopt;
    return read_description(with_schemas(*entry));
  } catch (const WireError&) {
    return std::nullopt;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

void PluginCache::keep(const FileIdentity& file, const std::string& sha256) {
  if (files_.size() >= most_entries) files_.clear();
  files_[file.path] = {{"file", identity_body(file)}, {"sha256", sha256}};
  changed_ = true;
}

void PluginCache::keep(const std::string& sha256, const PluginDescription& plugin) {
  if (plugins_.size() >= most_entries) plugins_.clear();
  plugins_[sha256] = description_body(plugin);
  changed_ = true;
}

void PluginCache::save() {
  if (!changed_ || path_.empty()) return;
  const std::string folder = path_.substr(0, path_.rfind('/'));
  ::mkdir(folder.substr(0, folder.rfind('/')).c_str(), 0700);
  ::mkdir(folder.c_str(), 0700);
  try {
    nlohmann::json plugins = plugins_;
    std::string schemas;
    for (nlohmann::json& plugin : plugins) {
      plugin = with_schemas(std::move(plugin));
      move_schemas(plugin, schemas);
    }
    const nlohmann::json document = {{"format", format},
                                     {"files", files_},
                                     {"plugins", plugins},
                                     {"schemas_sha256", drydock::sha256(schemas)}};
    write_file_atomically(path_, document.dump() + "\n" + schemas);
  } catch (const std::exception&) {
    // Next time the plugins are probed again.
  }
  changed_ = false;
}

}  // namespace drydock
