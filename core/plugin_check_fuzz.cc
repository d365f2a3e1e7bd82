#include "plugin_check_fuzz.h"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace drydock {
namespace {

using nlohmann::json;

std::size_t below(Random& random, std::size_t count) { return random() % count; }

std::string odd_text(Random& random) {
  static const std::vector<std::string> texts = {
      "",         " ",         "a\nb",   "x\ty",      "\x01\x1b[31m", "../../nothing", "no/such/file",
      "-",        "--help",    "%s%n%d", "\xc3\xa4",  "\xff\xfe",     "${NOTHING}",    "a b  c",
      "9999999999999999999999", "-1",    "null",      "{\"a\":1}",    "[",             "'\"`\\"};
  const std::size_t at = below(random, texts.size() + 2);
  if (at < texts.size()) return texts[at];
  return std::string(at == texts.size() ? 5000 : 70000, 'x');
}

json odd_value(Random& random, int depth = 0) {
  switch (below(random, depth < 3 ? 9 : 7)) {
    case 0:
      return nullptr;
    case 1:
      return below(random, 2) == 0;
    case 2:
      return std::numeric_limits<std::int64_t>::min();
    case 3:
      return std::numeric_limits<std::uint64_t>::max();
    case 4:
      return -0.5e300;
    case 5:
      return static_cast<std::int64_t>(random() % 7) - 3;
    case 6:
      return odd_text(random);
    case 7: {
      json list = json::array();
      for (std::size_t i = below(random, 4); i > 0; --i) list.push_back(odd_value(random, depth + 1));
      return list;
    }
    default: {
      json object = json::object();
      // A key is text: what is no UTF-8 could not be sent.
      for (std::size_t i = below(random, 4); i > 0; --i) {
        object["k/~" + std::to_string(random() % 9)] = odd_value(random, depth + 1);
      }
      return object;
    }
  }
}

// Texts in options are UTF-8, as they come from YAML.
void make_utf8(json& value) {
  if (value.is_string()) {
    value = json::parse(value.dump(-1, ' ', false, json::error_handler_t::replace));
  } else if (value.is_structured()) {
    for (json& part : value) make_utf8(part);
  }
}

}  // namespace

json odd_options(const json& schema, const json& sample, Random& random) {
  json options = sample.is_object() ? sample : json::object();
  std::vector<std::string> names;
  const json properties = schema.value("properties", json::object());
  for (const auto& [key, option] : properties.items()) {
    names.push_back(key);
  }
  for (std::size_t changes = 1 + below(random, 3); changes > 0; --changes) {
    if (names.empty() || below(random, 5) == 0) {
      options["unknown" + std::to_string(random() % 9)] = odd_value(random);
      continue;
    }
    const std::string& name = names[below(random, names.size())];
    if (below(random, 5) == 0) {
      options.erase(name);
    } else {
      options[name] = odd_value(random);
    }
  }
  make_utf8(options);
  return options;
}

}  // namespace drydock
