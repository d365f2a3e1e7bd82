#include "alembic_ini.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "python_source.h"

namespace drydock::alembic {
namespace {

constexpr std::string_view blanks = " \t\r\f\v";

std::string_view stripped(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(blanks), text.size());
  const std::size_t end = text.find_last_not_of(blanks);
  return end == std::string_view::npos ? "" : text.substr(begin, end - begin + 1);
}

// The options of [DEFAULT] and [alembic]; lines of one value joined by "\n".
std::map<std::string, std::string> alembic_section(std::string_view text) {
  std::map<std::string, std::string> defaults, own;
  std::map<std::string, std::string>* section = nullptr;
  std::string* value = nullptr;  // that a line which is indented continues
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end), content = stripped(line);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (content.empty() || content[0] == '#' || content[0] == ';') continue;
    if (value != nullptr && blanks.find(line[0]) != std::string_view::npos) {
      *value += "\n" + std::string(content);
      continue;
    }
    value = nullptr;
    if (content[0] == '[') {
      const std::string_view name = content.substr(1, content.find(']') - 1);
      section = name == "alembic" ? &own : name == "DEFAULT" ? &defaults : nullptr;
      continue;
    }
    const std::size_t sign = content.find_first_of("=:");
    if (section == nullptr || sign == std::string_view::npos) continue;
    std::string key(stripped(content.substr(0, sign)));
    std::transform(key.begin(), key.end(), key.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    value = &((*section)[key] = stripped(content.substr(sign + 1)));
  }
  own.insert(defaults.begin(), defaults.end());
  return own;
}

// Between separators, as Alembic takes them apart; nothing empty.
std::vector<std::string> locations(std::string_view text, std::string_view separators) {
  std::vector<std::string> result;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(separators), text.size());
    if (const std::string_view one = stripped(text.substr(0, end)); !one.empty()) {
      result.emplace_back(one);
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

class IniReader {
 public:
  IniReader(const std::string& file, std::string_view text)
      : file_(file), options_(alembic_section(text)) {}

  AlembicIni read() const {
    AlembicIni ini;
    ini.script_location = option("script_location");
    refuse_package(ini.script_location);
    const std::string versions = option("version_locations");
    // Alembic's own template writes a separator, with a remark that is part of it, for none.
    if (!versions.empty()) ini.version_locations = locations(versions, separators());
    for (const std::string& location : ini.version_locations) refuse_package(location);
    ini.recursive = option("recursive_version_locations") == "true";
    if (option("sourceless") == "true") refuse("it allows scripts without their sources");
    return ini;
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const { throw Unreadable(file_ + ": " + why); }

  // "" when it is not set.
  std::string option(const std::string& key) const {
    const auto found = options_.find(key);
    if (found == options_.end()) return "";
    constexpr std::string_view here = "%(here)s";
    std::string result;
    for (std::string_view rest = found->second; !rest.empty();) {
      const std::size_t sign = std::min(rest.find('%'), rest.size());
      result += rest.substr(0, sign);
      rest.remove_prefix(sign);
      if (rest.empty()) break;
      if (rest.substr(0, 2) == "%%") {
        result += '%';
        rest.remove_prefix(2);
      } else if (rest.substr(0, here.size()) == here) {
        result += file_.substr(0, file_.rfind('/'));
        rest.remove_prefix(here.size());
      } else {
        refuse("`" + key + "` is made of another option (" + found->second + ")");
      }
    }
    return result;
  }

  std::string separators() const {
    std::string named = option("path_separator");  // Alembic 1.16
    if (named.empty()) named = option("version_path_separator");
    if (named.empty()) return ", ";
    if (named == "os" || named == ":") return ":";
    if (named == ";" || named == "space") return named == ";" ? ";" : " ";
    if (named == "newline") return "\n";
    refuse("what separates the `version_locations` is not known: " + named);
  }

  // "package:folder" is wherever Python finds the package.
  void refuse_package(const std::string& location) const {
    if (location.find('\n') != std::string::npos) refuse("a location goes over several lines");
    if (location.find(':') != std::string::npos && location[0] != '/') {
      refuse("its scripts are in the Python package " + location);
    }
  }

  std::string file_;
  std::map<std::string, std::string> options_;
};

}  // namespace

AlembicIni read_alembic_ini(const std::string& file, std::string_view text) {
  return IniReader(file, text).read();
}

}  // namespace drydock::alembic
