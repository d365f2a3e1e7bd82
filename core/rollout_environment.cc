#include "rollout_environment.h"

#include <algorithm>
#include <filesystem>

#include "error.h"
#include "pipeline_secret.h"
#include "text.h"
#include "yaml_reader.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> environment_keys = {"host",       "dir",  "sudo",   "binary", "vars",
                                                   "vars_files", "like", "labels", "secrets"};

template <class Read>
void for_each_member(const YamlNode* node, const std::string& where, Read read) {
  if (node == nullptr || node->kind == YamlNode::Kind::null) return;
  if (node->kind != YamlNode::Kind::mapping) {
    refuse(node->place, found_in(*node), where, "a mapping of names");
  }
  for (const auto& [key, value] : node->members) read(key, value);
}

void add_vars(const YamlNode* node, const std::string& where, std::vector<GivenVar>& vars) {
  for_each_member(node, where, [&](const YamlNode& key, const YamlNode& value) {
    Places ignored;
    vars.push_back({read_name(key, where), to_json(value, ignored), key.place});
  });
}

std::string read_label(const YamlNode& node, const std::string& name) {
  if (node.kind != YamlNode::Kind::scalar || node.text.empty()) {
    refuse(node.place, found_in(node), "the label '" + name + "'", "a text or a list of texts");
  }
  return node.text;
}

std::string read_host(const YamlNode& node) {
  if (node.kind == YamlNode::Kind::null) return "";  // here, whatever the defaults say
  std::string host = read_text(node, "'host:'");
  const std::string problem = problem_of_host(host);
  if (!problem.empty()) {
    refuse(node.place, found_in(node) + " (" + problem + ")", "'host:'",
           "ssh://USER@HOST:PORT, an alias of ssh_config, or no host for this machine");
  }
  return host;
}

// What every login shell leaves alone within single quotes: sh and its family, csh, fish.
bool survives_a_login_shell(const std::string& text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    return c == '\\' || c == '!' || static_cast<unsigned char>(c) < ' ';
  });
}

// A word of the command line there.
std::string read_remote_word(const YamlNode& node, const std::string& where) {
  std::string word = read_text(node, where);
  if (word.front() == '-' || !survives_a_login_shell(word)) {
    refuse(node.place, found_in(node), where, "the path or the name of a program");
  }
  return word;
}

// What one mapping says, over what `to` has already. Of variables files come first, so that a value
// that is written beside them counts.
void apply(const YamlNode& node, const std::string& what, const std::string& folder,
           std::vector<GivenVar>& from_files, Environment& to) {
  const MappingReader reader(node, what, environment_keys);
  if (const YamlNode* host = reader.find("host")) to.host = read_host(*host);
  if (const YamlNode* dir = reader.find("dir")) to.dir = read_text(*dir, "'dir:'");
  if (const YamlNode* sudo = reader.find("sudo")) to.sudo = read_boolean(*sudo, "'sudo:'");
  if (const YamlNode* files = reader.find("vars_files")) {
    if (files->kind != YamlNode::Kind::sequence) {
      refuse(files->place, found_in(*files), "'vars_files:'", "a list of files");
    }
    for (const YamlNode& item : files->items) {
      const std::string file =
          (fs::path(folder) / read_text(item, "'vars_files:'")).lexically_normal().string();
      try {
        const YamlNode root = read_yaml(file);
        add_vars(&root, "a file of variables", from_files);
      } catch (const Error& e) {
        if (std::string(e.what()).starts_with(file + ":")) throw;  // it names a place of its own
        throw Error(item.place.text() + ": " + e.what());
      }
    }
  }
  if (const YamlNode* binary = reader.find("binary")) {
    to.binary = read_remote_word(*binary, "'binary:'");
  }
  add_vars(reader.find("vars"), "'vars:'", to.vars);
  for_each_member(reader.find("labels"), "'labels:'",
                  [&](const YamlNode& key, const YamlNode& value) {
                    std::set<std::string>& values = to.labels[read_name(key, "'labels:'")];
                    values.clear();
                    if (value.kind != YamlNode::Kind::sequence) {
                      values.insert(read_label(value, key.text));
                    }
                    for (const YamlNode& item : value.items) {
                      values.insert(read_label(item, key.text));
                    }
                  });
  for_each_member(reader.find("secrets"), "'secrets:'",
                  [&](const YamlNode& key, const YamlNode& value) {
                    SecretSource source = read_secret(key.text, value, folder);
                    if (source.kind == SecretSource::Kind::dotenv) {
                      refuse(value.place, "dotenv", "the secret '" + key.text + "' of a rollout",
                             "env, file or command, which are read on this machine");
                    }
                    to.secrets[read_name(key, "'secrets:'")] = std::move(source);
                  });
}

// From the most general to the environment itself: each is like the one before.
class Lineages {
 public:
  explicit Lineages(const std::vector<DeclaredEnvironment>& declared) {
    for (const DeclaredEnvironment& each : declared) by_name_[each.name] = &each;
  }

  std::vector<const DeclaredEnvironment*> of(const DeclaredEnvironment& environment) const {
    std::vector<const DeclaredEnvironment*> line = {&environment};
    while (const YamlNode* like = like_of(*line.front())) {
      const std::string name = read_text(*like, "'like:'");
      const auto found = by_name_.find(name);
      if (found == by_name_.end()) {
        refuse(like->place, "the unknown environment '" + name + "'", "'like:'",
               "the name of another environment" + did_you_mean(name, names()));
      }
      if (std::find(line.begin(), line.end(), found->second) != line.end()) {
        refuse(like->place, "'" + name + "', which leads back to itself (" + way(line) + name + ")",
               "'like:'", "an environment that is not like this one");
      }
      line.insert(line.begin(), found->second);
    }
    return line;
  }

 private:
  static const YamlNode* like_of(const DeclaredEnvironment& environment) {
    for (const auto& [key, value] : environment.node.members) {
      if (key.text == "like") return &value;
    }
    return nullptr;
  }
  static std::string way(const std::vector<const DeclaredEnvironment*>& line) {
    std::string text;
    for (auto each = line.rbegin(); each != line.rend(); ++each) text += (*each)->name + " -> ";
    return text;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& [name, environment] : by_name_) names.push_back(name);
    return names;
  }

  std::map<std::string, const DeclaredEnvironment*> by_name_;
};

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '.' || c == '-' ||
         c == '_';
}

}  // namespace

std::string problem_of_host(const std::string& host) {
  constexpr std::string_view scheme = "ssh://";
  std::string_view rest = host;
  if (rest.starts_with(scheme)) {
    rest.remove_prefix(scheme.size());
    if (const std::size_t at = rest.rfind('@'); at != rest.npos) {
      const std::string_view user = rest.substr(0, at);
      if (user.empty() || user.front() == '-' ||
          !std::all_of(user.begin(), user.end(), is_host_character)) {
        return "its user is no name; passwords belong to the ssh agent";
      }
      rest.remove_prefix(at + 1);
    }
    const std::size_t bracket = rest.starts_with('[') ? rest.find(']') : rest.npos;
    const std::size_t colon = rest.find(':', bracket == rest.npos ? 0 : bracket);
    if (colon != rest.npos) {
      const std::string port(rest.substr(colon + 1));
      const bool number =
          !port.empty() && port.size() <= 5 && std::all_of(port.begin(), port.end(), is_digit);
      if (!number || std::stoi(port) < 1 || std::stoi(port) > 65535) return "its port is no port";
      rest = rest.substr(0, colon);
    }
    if (bracket != rest.npos) {
      const std::string_view address = rest.substr(1, bracket - 1);
      const bool fits = rest.size() == bracket + 1 && !address.empty() &&
                        address.find_first_not_of("0123456789abcdefABCDEF:.") == address.npos;
      return fits ? "" : "its address is none";
    }
  } else if (rest.find("://") != rest.npos) {
    return "it is reached by something else than ssh";
  }
  if (rest.empty()) return "it names no host";
  // A word that begins with '-' would be an option of ssh.
  if (rest.front() == '-' || !std::all_of(rest.begin(), rest.end(), is_host_character)) {
    return "its name is none of a host";
  }
  return "";
}

std::vector<Environment> read_environments(const std::vector<DeclaredEnvironment>& declared,
                                           const YamlNode* defaults, const std::string& folder) {
  const Lineages lineages(declared);
  std::vector<Environment> environments;
  for (const DeclaredEnvironment& each : declared) {
    Environment environment;
    environment.name = each.name;
    environment.place = each.node.place;
    std::vector<GivenVar> vars;
    if (defaults != nullptr) {
      if (const MappingReader reader(*defaults, "'defaults:'", environment_keys);
          const YamlNode* like = reader.find("like")) {
        refuse(like->place, "'like:'", "'defaults:'", "in an environment only");
      }
      apply(*defaults, "'defaults:'", folder, vars, environment);
    }
    for (const DeclaredEnvironment* part : lineages.of(each)) {
      apply(part->node, "the environment '" + part->name + "'", part->folder, vars, environment);
    }
    vars.insert(vars.end(), environment.vars.begin(), environment.vars.end());
    environment.vars = std::move(vars);
    if (environment.dir.empty()) {
      refuse(environment.place, "no 'dir:'", "the environment '" + each.name + "'",
             "dir: FOLDER, the deployment, here or in 'defaults:'");
    }
    if (!environment.host.empty() && environment.dir.front() != '/') {
      refuse(environment.place, "the relative folder '" + environment.dir + "'",
             "the environment '" + each.name + "'", "an absolute one, since it is on another host");
    }
    if (!environment.host.empty() && !survives_a_login_shell(environment.dir)) {
      refuse(environment.place, "the folder '" + environment.dir + "'",
             "the environment '" + each.name + "'",
             "one without a backslash, '!' or a control character, since a login shell of another "
             "host reads its name");
    }
    environments.push_back(std::move(environment));
  }
  return environments;
}

}  // namespace drydock
