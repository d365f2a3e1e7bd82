// A stage that keeps to everything: it writes one line into a file, and takes it away again. Each
// fault beside this is that stage with one thing changed.
#pragma once

#include <cstdio>
#include <drydock/stage.hpp>
#include <string>

struct Good {
  static constexpr auto name = "good";
  static constexpr auto summary = "Write one line into a file";
  static constexpr auto options = R"({
    "type": "object",
    "additionalProperties": false,
    "required": ["file"],
    "properties": {
      "file": {"type": "string", "description": "which file", "examples": ["made"]},
      "text": {"type": "string", "default": "hello", "description": "what to write"},
      "token": {"type": "string", "writeOnly": true, "description": "a secret"}
    }
  })";

  static void observe(drydock::Call& call) { call.fact("file", content(call)); }
  static void plan(drydock::Call& call) { call.change({"file", "add", call.text("/file")}); }
  static void run(drydock::Call& call) {
    call.remember("file", call.text("/file"));
    write(call);
  }
  static void verify(drydock::Call& call) {
    if (content(call) == "absent") throw drydock::Failed("the file is not there");
  }
  static void rollback(drydock::Call& call) {
    const auto file = call.recall("file");
    if (file) std::remove(call.deployment(*file).c_str());
  }
  static void settle(drydock::Call&) {}

  static void write(const drydock::Call& call) {
    write(call, call.text("/file"), call.text("/text"));
  }
  static void write(const drydock::Call& call, const std::string& name, const std::string& text) {
    std::FILE* file = std::fopen(call.deployment(name).c_str(), "w");
    if (file == nullptr) throw drydock::Failed("the file cannot be written");
    std::fputs(text.c_str(), file);
    std::fclose(file);
  }
  static std::string content(const drydock::Call& call) {
    std::FILE* file = std::fopen(call.deployment(call.text("/file")).c_str(), "r");
    if (file == nullptr) return "absent";
    char bytes[100] = {};
    const std::size_t size = std::fread(bytes, 1, sizeof bytes, file);
    std::fclose(file);
    return std::string(bytes, size);
  }
};
