// The real Docker Compose, which reads and evaluates env files without an engine.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <drydock/testing.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "compose_proof.h"

namespace drydock::env_sync {

inline bool compose_is_installed() {
  return std::system("docker compose version >/dev/null 2>&1") == 0;
}

// Asks Compose, as the stage's proof does, about env files with a compose file of one service.
class RealCompose {
 public:
  RealCompose() {
    host_.write("compose.yaml", "services: {one: {image: one}}\n");
    host_.compose_files = {host_.deployment_dir() + "/compose.yaml"};
    host_.project = "sample";
    host_.run_real_processes();
  }
  // What Compose says each of the keys is.
  ComposeView read(const std::string& text, const std::set<std::string>& keys) {
    host_.write(".env", text);
    asked_ = &keys;
    view_ = {};
    current_ = this;
    const auto result = host_.perform<Question>("plan");
    if (!result.ok()) throw std::runtime_error(result.failure);
    return view_;
  }

 private:
  // A stage whose only work is the question.
  struct Question {
    static constexpr auto name = "question";
    static constexpr auto summary = "Ask Compose";
    static constexpr auto options = "{}";
    static void plan(Call& call) {
      current_->view_ = ask_compose(call, call.deployment(".env"), "it", *current_->asked_);
    }
    static void run(Call&) {}
  };
  static inline RealCompose* current_ = nullptr;
  testing::FakeHost host_;
  const std::set<std::string>* asked_ = nullptr;
  ComposeView view_;
};

}  // namespace drydock::env_sync
