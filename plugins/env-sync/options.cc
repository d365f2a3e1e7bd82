#include "options.h"

#include <sys/random.h>

namespace drydock::env_sync {
namespace {

// A secret that the applications of most templates want, and want to be one's own.
constexpr const char* usual_secret = "SECRET_KEY";
constexpr const char* usual_form = "base64:42";

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  for (std::size_t at = 0; at < count;) {
    const ssize_t got = ::getrandom(bytes.data() + at, count - at, 0);
    if (got > 0) at += static_cast<std::size_t>(got);
  }
  return bytes;
}

std::string base64(const std::string& bytes) {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      text += i + k <= bytes.size() ? alphabet[group >> (18 - 6 * k) & 63] : '=';
    }
  }
  return text;
}

std::string hexadecimal(const std::string& bytes) {
  std::string text;
  for (const char byte : bytes) {
    text += "0123456789abcdef"[static_cast<unsigned char>(byte) >> 4];
    text += "0123456789abcdef"[static_cast<unsigned char>(byte) & 15];
  }
  return text;
}

// "base64:42", "hex:32": of so many random bytes. The schema has checked the form.
std::string secret(const std::string& form) {
  const std::size_t colon = form.find(':');
  const std::string bytes = random_bytes(std::stoul(form.substr(colon + 1)));
  return form.substr(0, colon) == "hex" ? hexadecimal(bytes) : base64(bytes);
}

}  // namespace

MergeOptions read_options(const Call& call, bool creating) {
  MergeOptions options;
  const std::string defaults = call.text("/defaults"), removed = call.text("/removed");
  if (defaults == "keep") options.defaults = Defaults::keep;
  if (defaults == "adopt") options.defaults = Defaults::adopt;
  if (removed == "comment") options.removed = Removed::comment;
  if (removed == "drop-untouched") options.removed = Removed::drop_untouched;
  options.sticky = call.texts("/sticky");
  for (std::size_t i = 0; i < call.size("/linked"); ++i) {
    options.linked.push_back(call.texts("/linked/" + std::to_string(i)));
  }
  for (const std::string& old : call.keys("/renames")) {
    const std::string name = call.text(Call::member("/renames", old));
    if (!options.renames.emplace(old, name).second || old == name) {
      throw BadOptions("renames: " + old + " is to be called " + name + "; name two variables");
    }
  }
  for (const std::string& key : call.keys("/generate")) {
    options.generated.emplace(key, secret(call.text(Call::member("/generate", key))));
  }
  if (!call.has("/generate") && creating) {
    options.generated.emplace(usual_secret, secret(usual_form));
  }
  return options;
}

}  // namespace drydock::env_sync
