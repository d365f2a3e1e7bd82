#include <algorithm>
#include <set>
#include <utility>

#include "secret_forms.h"
#include "secrets.h"

namespace drydock {
namespace {

constexpr std::string_view mask_text = "***";
constexpr std::size_t shortest_anywhere = 6;  // shorter values would mask half of a log

std::uint16_t prefix_of(std::string_view text) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(text[0]) << 8 |
                                    static_cast<unsigned char>(text[1]));
}

bool ends_userinfo(char c) {
  return c == '/' || c == '?' || c == '#' || c == '"' || c == '\'' || c == '<' || c == '>' ||
         static_cast<unsigned char>(c) <= ' ';
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace

void Masker::add_pattern(std::string pattern, std::size_t kept, bool presumed) {
  for (Pattern& known : patterns_) {
    if (known.text != pattern) continue;
    known.presumed = known.presumed && presumed;
    return;
  }
  const std::uint16_t prefix = prefix_of(pattern);
  prefixes_.set(prefix);
  by_prefix_[prefix].push_back(patterns_.size());
  patterns_.push_back({std::move(pattern), kept, presumed});
}

void Masker::add(const std::string& name, const std::string& value) { add(name, value, false); }

void Masker::add(const std::string& name, const std::string& value, bool presumed) {
  if (value.empty()) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto [known, is_new] = secrets_.try_emplace({name, value}, presumed);
  if (!is_new && (presumed || !known->second)) return;
  known->second = presumed;
  add_patterns(name, value, presumed);
}

void Masker::add_env(const Variables& env) {
  for (const auto& [name, value] : env) {
    if (is_secret_name(name)) add(name, value);
  }
}

void Masker::add_vars(const nlohmann::json& vars, const std::string& path) {
  const auto add_texts = [&](const auto& self, const std::string& name,
                             const nlohmann::json& value) -> void {
    if (value.is_structured()) {
      for (const nlohmann::json& each : value) self(self, name, each);
    } else if (value.is_string() || value.is_number()) {
      const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
      if (path.find(text) == std::string::npos) add(name, text, true);
    }
  };
  for (const auto& [name, value] : vars.items()) {
    if (is_secret_name(name)) add_texts(add_texts, name, value);
  }
}

void Masker::show_names(const std::vector<std::string>& names) {
  const std::lock_guard<std::mutex> lock(mutex_);
  shown_.insert(names.begin(), names.end());
  if (std::none_of(secrets_.begin(), secrets_.end(),
                   [this](const auto& secret) { return is_part_of_a_name(secret.first.second); })) {
    return;
  }
  patterns_.clear();
  by_prefix_.clear();
  prefixes_.reset();
  for (const auto& [secret, presumed] : secrets_) {
    add_patterns(secret.first, secret.second, presumed);
  }
}

bool Masker::is_part_of_a_name(const std::string& value) const {
  return std::any_of(shown_.begin(), shown_.end(),
                     [&](const std::string& shown) { return shown.find(value) != shown.npos; });
}

void Masker::add_patterns(const std::string& name, const std::string& value, bool presumed) {
  if (value.size() < shortest_anywhere || is_part_of_a_name(value)) {
    if (!name.empty()) add_pattern(name + "=" + value, name.size() + 1, presumed);
    return;
  }
  for (std::string& form : secret_forms(value)) {
    if (form.size() >= shortest_anywhere) add_pattern(std::move(form), 0, presumed);
  }
}

std::vector<Masker::Span> Masker::secret_spans(std::string_view text, Users users) const {
  std::vector<Span> spans;
  const auto add = [&](std::size_t begin, std::size_t end) {
    while (!spans.empty() && spans.back().end >= begin) {  // secrets that overlap are one
      begin = std::min(begin, spans.back().begin);
      end = std::max(end, spans.back().end);
      spans.pop_back();
    }
    spans.push_back({begin, end});
  };
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    const std::uint16_t prefix = prefix_of(text.substr(i, 2));
    if (prefixes_.test(prefix)) {
      for (const std::size_t index : by_prefix_.at(prefix)) {
        const Pattern& pattern = patterns_[index];
        if (text.compare(i, pattern.text.size(), pattern.text) != 0) continue;
        const std::size_t end = i + pattern.text.size();
        // A short value is one only when it is the whole value, and NAME the whole name.
        if (pattern.kept > 0 &&
            ((end < text.size() && is_word(text[end])) || (i > 0 && is_word(text[i - 1])))) {
          continue;
        }
        add(i + pattern.kept, end);
      }
    }
    if (text[i] != ':' || text.compare(i, 3, "://") != 0) continue;
    // user:password@ of any URL; a password may itself hold an '@'.
    std::size_t at = std::string_view::npos;
    for (std::size_t j = i + 3; j < text.size() && !ends_userinfo(text[j]); ++j) {
      if (text[j] == '@') at = j;
    }
    if (at == std::string_view::npos || at <= i + 3) continue;
    const std::size_t password = text.find(':', i + 3);
    if (users == Users::masked) {
      add(i + 3, at);
    } else if (password != std::string_view::npos && password + 1 < at) {
      add(password + 1, at);
    }
  }
  return spans;
}

bool Masker::mask_in_place(std::string& text, Users users) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const std::vector<Span> spans = secret_spans(text, users);
  if (spans.empty()) return false;
  std::string result;
  std::size_t done = 0;
  for (const Span& span : spans) {
    result.append(text, done, span.begin - done).append(mask_text);
    done = span.end;
  }
  result.append(text, done);
  text = std::move(result);
  return true;
}

std::string Masker::mask(std::string text) const {
  mask_in_place(text);
  return text;
}

std::string Masker::mask_sentence(std::string text) const {
  mask_in_place(text, Users::shown);
  return text;
}

nlohmann::json Masker::mask(nlohmann::json value) const {
  mask_in_place(value);
  return value;
}

void Masker::mask_in_place(nlohmann::json& value) const {
  if (value.is_string()) {
    mask_in_place(value.get_ref<std::string&>());
  } else if (value.is_array()) {
    for (nlohmann::json& entry : value) mask_in_place(entry);
  } else if (value.is_object()) {
    std::vector<std::pair<std::string, std::string>> masked_keys;  // as it was, as it will be
    for (auto member = value.begin(); member != value.end(); ++member) {
      mask_in_place(*member);
      std::string key = member.key();
      if (mask_in_place(key)) masked_keys.emplace_back(member.key(), std::move(key));
    }
    for (const auto& [was, now] : masked_keys) {
      nlohmann::json member = std::move(value[was]);
      value.erase(was);
      value[now] = std::move(member);
    }
  }
}

bool Masker::contains_secret(std::string_view text) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    const std::uint16_t prefix = prefix_of(text.substr(i, 2));
    if (!prefixes_.test(prefix)) continue;
    for (const std::size_t index : by_prefix_.at(prefix)) {
      const Pattern& pattern = patterns_[index];
      const std::size_t end = i + pattern.text.size();
      if (pattern.presumed || text.compare(i, pattern.text.size(), pattern.text) != 0) continue;
      if (pattern.kept == 0 ||
          ((end == text.size() || !is_word(text[end])) && (i == 0 || !is_word(text[i - 1])))) {
        return true;
      }
    }
  }
  return false;
}

nlohmann::json masked_vars(const nlohmann::json& vars) {
  Masker masker;
  masker.add_vars(vars);
  nlohmann::json masked = vars;
  for (auto& [name, value] : masked.items()) {
    if (is_secret_name(name) && !value.is_null() && !value.is_boolean()) {
      value = mask_text;
    } else {
      value = masker.mask(std::move(value));
    }
  }
  return masked;
}

}  // namespace drydock
