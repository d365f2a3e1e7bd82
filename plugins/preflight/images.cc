#include "images.h"

#include <future>
#include <nlohmann/json.hpp>
#include <vector>

#include "image_reference.h"

namespace drydock::preflight {
namespace {

using nlohmann::json;

constexpr std::size_t at_once = 6;
constexpr std::chrono::seconds registry_patience(20);

// The engine takes plain HTTP from this machine; for the manifest it has to be said.
bool is_loopback(const std::string& reference) {
  return reference.rfind("127.", 0) == 0 || reference.rfind("localhost:", 0) == 0 ||
         reference.rfind("localhost/", 0) == 0;
}

std::string inspect(const Call& call, const std::string& reference) {
  Process process;
  process.arguments = {"docker", "manifest", "inspect"};
  if (is_loopback(reference)) process.arguments.push_back("--insecure");
  process.arguments.push_back(reference);
  process.timeout = registry_patience;
  const Captured captured = call.capture(process);
  return captured.exit.ok() ? captured.out : "";
}

Layers layers_of(const Call& call, const std::string& reference, const std::string& platform) {
  Manifest manifest = parse_manifest(inspect(call, reference), platform);
  if (manifest.layers.empty() && !manifest.digest.empty()) {
    manifest =
        parse_manifest(inspect(call, repository_of(reference) + "@" + manifest.digest), platform);
  }
  return manifest.layers;
}

}  // namespace

std::string platform_of(const std::string& engine_architecture) {
  static const std::map<std::string, std::string> names = {
      {"x86_64", "amd64"}, {"aarch64", "arm64"}, {"armv7l", "arm"}, {"i686", "386"}};
  const auto found = names.find(engine_architecture);
  return "linux/" + (found == names.end() ? engine_architecture : found->second);
}

Manifest parse_manifest(std::string_view text, const std::string& platform) {
  Manifest manifest;
  const json read = json::parse(text, nullptr, false);
  if (!read.is_object()) return manifest;
  for (const json& layer : read.value("layers", json::array())) {
    const std::int64_t size = layer.is_object() ? layer.value("size", std::int64_t{-1}) : -1;
    if (size < 0) return {};
    manifest.layers[layer.value("digest", "")] = size;
  }
  for (const json& each : read.value("manifests", json::array())) {
    if (!each.is_object()) continue;
    const json of = each.value("platform", json::object());
    if (of.value("os", "") + "/" + of.value("architecture", "") !=
        platform.substr(0, platform.find('/', platform.find('/') + 1))) {
      continue;
    }
    manifest.digest = each.value("digest", "");
    break;
  }
  return manifest;
}

std::optional<std::int64_t> compressed_size(const Call& call,
                                            const std::map<std::string, std::string>& platforms,
                                            std::string& unknown) {
  const std::vector<std::pair<std::string, std::string>> wanted(platforms.begin(), platforms.end());
  Layers all;
  for (std::size_t begin = 0; begin < wanted.size(); begin += at_once) {
    std::vector<std::future<Layers>> asked;
    const std::size_t end = std::min(begin + at_once, wanted.size());
    for (std::size_t i = begin; i < end; ++i) {
      asked.push_back(std::async(std::launch::async, [&call, &wanted, i] {
        return layers_of(call, wanted[i].first, wanted[i].second);
      }));
    }
    for (std::size_t i = begin; i < end; ++i) {
      const Layers layers = asked[i - begin].get();
      if (layers.empty() && unknown.empty()) unknown = wanted[i].first;
      all.insert(layers.begin(), layers.end());
    }
  }
  if (!unknown.empty()) return std::nullopt;
  std::int64_t sum = 0;
  for (const auto& [digest, size] : all) sum += size;
  return sum;
}

}  // namespace drydock::preflight
