// A registry of images on a port of 127.0.0.1, for real engines, that can be told to misbehave.
// What an engine asks a registry for: manifests by tag and by digest, and blobs.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "digest.h"
#include "loopback_server.h"

class FakeRegistry {
 public:
  enum class Fault {
    none,
    slow,            // accepts connections and never answers
    too_many,        // 429, as registries say it
    too_many_plain,  // 429, as proxies say it
    broken,          // 500
    no_manifest,     // 404
    other_manifest,  // another one than its digest promises
    sign_in_page,    // HTML, as in a hotel
    denied,          // 403
    wants_login,     // 401, unless it is given a name and a password
    no_blobs,        // 404 for parts
    damaged_blobs,   // with another byte at their end
    truncated_blobs  // half of them, then the connection ends
  };

  FakeRegistry() : server_([this](const std::string& request) { return answer(request); }) {}
  ~FakeRegistry() { fault(Fault::none); }  // lets go of those that it holds off

  std::string host() const { return server_.host(); }
  // The whole name of an image here.
  std::string name(const std::string& tag) const { return host() + "/app:" + tag; }
  void fault(Fault fault) {
    const std::lock_guard<std::mutex> lock(mutex_);
    fault_ = fault;
    changed_.notify_all();
  }
  // "HEAD /v2/app/manifests/1" and so on, since the last time.
  std::vector<std::string> requests() {
    std::vector<std::string> all = server_.requests(), result;
    for (; seen_ < all.size(); ++seen_) {
      result.push_back(all[seen_].substr(0, all[seen_].find(" HTTP")));
    }
    return result;
  }

  struct Made {
    std::string digest, id;
  };
  // From then on the tag means an image of one file with this content.
  Made make(const std::string& tag, const std::string& content,
            const std::string& architecture = "amd64") {
    const std::string layer = layer_of(content);
    return push(tag, layer,
                R"({"architecture":")" + architecture +
                    R"(","os":"linux","config":{},"history":[{"created_by":"a test"}],)" +
                    R"("rootfs":{"type":"layers","diff_ids":["sha256:)" + drydock::sha256(layer) +
                    R"("]}})");
  }
  Made push(const std::string& tag, const std::string& layer, const std::string& config) {
    const std::string type = "application/vnd.docker.distribution.manifest.v2+json";
    const std::string manifest =
        R"({"schemaVersion":2,"mediaType":")" + type + R"(","config":{"mediaType":)" +
        R"("application/vnd.docker.container.image.v1+json","size":)" +
        std::to_string(config.size()) + R"(,"digest":")" + keep(config) +
        R"("},"layers":[{"mediaType":"application/vnd.docker.image.rootfs.diff.tar","size":)" +
        std::to_string(layer.size()) + R"(,"digest":")" + keep(layer) + R"("}]})";
    const std::lock_guard<std::mutex> lock(mutex_);
    const std::string digest = "sha256:" + drydock::sha256(manifest);
    manifests_[digest] = manifests_[tag] = manifest;
    return {digest, "sha256:" + drydock::sha256(config)};
  }

 private:
  // A tar of one file and an end: POSIX.1-1988, which is enough.
  static std::string layer_of(const std::string& content) {
    std::string header(512, '\0');
    const auto put = [&](std::size_t at, const std::string& text) {
      header.replace(at, text.size(), text);
    };
    char size[13];
    std::snprintf(size, sizeof size, "%011zo", content.size());
    put(0, "file"), put(100, "0000644"), put(108, "0000000"), put(116, "0000000");
    put(124, size), put(136, "00000000000"), put(148, "        "), put(156, "0");
    put(257, std::string("ustar\00000", 8));
    unsigned sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    char checksum[9];
    std::snprintf(checksum, sizeof checksum, "%06o", sum);
    put(148, checksum), put(154, std::string("\0 ", 2));
    const std::size_t padding = (512 - content.size() % 512) % 512;
    return header + content + std::string(padding + 1024, '\0');
  }
  std::string keep(const std::string& blob) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const std::string digest = "sha256:" + drydock::sha256(blob);
    blobs_[digest] = blob;
    return digest;
  }
  static std::string json(int status, const std::string& body) {
    return LoopbackServer::response(status, body, "Content-Type: application/json\r\n");
  }
  static std::string problem(int status, const std::string& code, const std::string& message) {
    return json(status,
                R"({"errors":[{"code":")" + code + R"(","message":")" + message + R"("}]})");
  }

  std::string answer(const std::string& request) {
    const std::size_t method = request.find(' ');
    const std::string path = request.substr(method + 1, request.find(' ', method + 1) - method - 1);
    std::string answer = answer_for(path, request);
    if (request.substr(0, method) == "HEAD") answer.resize(answer.find("\r\n\r\n") + 4);
    return answer;
  }
  std::string answer_for(const std::string& path, const std::string& request) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return fault_ != Fault::slow; });
    switch (fault_) {
      case Fault::too_many:
        return problem(429, "TOOMANYREQUESTS", "You have reached your pull rate limit");
      case Fault::too_many_plain:
        return LoopbackServer::response(429, "slow down");
      case Fault::broken:
        return LoopbackServer::response(500, "oops");
      case Fault::sign_in_page:
        return LoopbackServer::response(200, "<html>", "Content-Type: text/html\r\n");
      case Fault::wants_login:
        if (request.find("Authorization: Basic ") != std::string::npos) break;
        return LoopbackServer::response(401, "", "WWW-Authenticate: Basic realm=\"test\"\r\n");
      case Fault::denied:
        if (path != "/v2/") return problem(403, "DENIED", "requested access is denied");
        break;
      default:
        break;
    }
    if (path == "/v2/") return LoopbackServer::response(200);
    const std::string last = path.substr(path.rfind('/') + 1);
    return path.find("/manifests/") != std::string::npos ? manifest(last) : blob(last);
  }
  std::string manifest(const std::string& reference) const {
    const auto found = manifests_.find(reference);
    if (fault_ == Fault::no_manifest || found == manifests_.end()) {
      return problem(404, "MANIFEST_UNKNOWN", "manifest unknown");
    }
    std::string body = found->second;
    const std::string digest = "sha256:" + drydock::sha256(body);
    if (fault_ == Fault::other_manifest) body += ' ';
    return LoopbackServer::response(
        200, body,
        "Content-Type: application/vnd.docker.distribution.manifest.v2+json\r\n"
        "Docker-Content-Digest: " +
            digest + "\r\n");
  }
  std::string blob(const std::string& digest) const {
    const auto found = blobs_.find(digest);
    if (fault_ == Fault::no_blobs || found == blobs_.end()) {
      return problem(404, "BLOB_UNKNOWN", "blob unknown to registry");
    }
    std::string body = found->second;
    const bool config = body[0] == '{';
    if (fault_ == Fault::damaged_blobs) body.back() = config ? ' ' : 'x';
    std::string answer = LoopbackServer::response(200, body);
    if (fault_ == Fault::truncated_blobs && !config) answer.resize(answer.size() - body.size() / 2);
    return answer;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  Fault fault_ = Fault::none;
  std::map<std::string, std::string> manifests_;  // by tag and by digest
  std::map<std::string, std::string> blobs_;
  std::size_t seen_ = 0;
  LoopbackServer server_;  // the last, so that it ends first
};
