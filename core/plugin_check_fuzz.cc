#include "plugin_check_fuzz.h"

#include <algorithm>
#include <limits>
#include <random>
#include <string>

namespace drydock {
namespace {

using nlohmann::json;

using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t count) { return random() % count; }

std::string odd_text(Random& random) {
  static const std::vector<std::string> texts = {" ",
                                                 "a\nb",
                                                 "x\ty",
                                                 "\x01\x1b[31m",
                                                 "../../nothing",
                                                 "no/such/file",
                                                 "-",
                                                 "--help",
                                                 "%s%n%d",
                                                 "\xc3\xa4",
                                                 "\xff\xfe",
                                                 "${NOTHING}",
                                                 "a b  c",
                                                 "9999999999999999999999",
                                                 "-1",
                                                 "null",
                                                 "{\"a\":1}",
                                                 "[",
                                                 "'\"`\\"};
  return texts[below(random, texts.size())];
}

constexpr std::size_t kinds = 11;

json odd_value(Random& random, std::size_t kind, int depth = 0) {
  const auto inner = [&] {
    return odd_value(random, below(random, depth < 2 ? kinds : 9), depth + 1);
  };
  switch (kind) {
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
      return "";
    case 7:
      return odd_text(random);
    case 8:
      return std::string(70000, 'x');
    case 9: {
      json list = json::array();
      for (std::size_t i = below(random, 4); i > 0; --i) list.push_back(inner());
      return list;
    }
    default: {
      json object = json::object();
      for (std::size_t i = below(random, 4); i > 0; --i) {
        object["k/~" + std::to_string(random() % 9)] = inner();
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

std::vector<json> odd_options(const json& schema, const json& sample, std::uint64_t seed) {
  constexpr std::size_t most_single = 200, several = 24;
  Random random(seed);
  std::vector<std::string> names;
  const json properties = schema.value("properties", json::object());
  for (const auto& [key, option] : properties.items()) names.push_back(key);
  const json fitting = sample.is_object() ? sample : json::object();

  std::vector<json> sets;
  for (const std::string& name : names) {
    sets.push_back(fitting);
    sets.back().erase(name);
    for (std::size_t kind = 0; kind < kinds; ++kind) {
      sets.push_back(fitting);
      sets.back()[name] = odd_value(random, kind);
    }
  }
  std::shuffle(sets.begin(), sets.end(), random);
  if (sets.size() > most_single) sets.resize(most_single);
  names.push_back("unknown");
  for (std::size_t i = 0; i < several; ++i) {
    json options = fitting;
    for (std::size_t changes = 1 + below(random, 4); changes > 0; --changes) {
      options[names[below(random, names.size())]] = odd_value(random, below(random, kinds));
    }
    sets.push_back(std::move(options));
  }
  for (json& options : sets) make_utf8(options);
  return sets;
}

}  // namespace drydock
