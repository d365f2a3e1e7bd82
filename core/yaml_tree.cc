#include "yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <array>
#include <istream>
#include <streambuf>
#include <unordered_map>
#include <utility>

#include "error.h"
#include "text.h"

namespace drydock {
namespace {

// Far above what a person writes, far below what hurts.
constexpr std::size_t deepest = 64;          // lists and mappings within one another
constexpr std::size_t most_nodes = 100'000;  // aliases written out
constexpr std::size_t most_text = 8 << 20;   // bytes of all scalars, aliases written out

// yaml-cpp counts bytes; a person counts characters.
class Columns {
 public:
  explicit Columns(const std::string& text) : text_(text), line_starts_{0} {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') line_starts_.push_back(i + 1);
    }
  }
  // From the last place that was asked for, so that one very long line costs no more than its
  // length.
  int of(int line, int byte_column) {
    if (line < 0 || static_cast<std::size_t>(line) >= line_starts_.size()) return byte_column;
    if (line != line_ || byte_column < bytes_) {
      line_ = line;
      bytes_ = characters_ = 0;
    }
    const std::size_t start = line_starts_[static_cast<std::size_t>(line)];
    for (; bytes_ < byte_column; ++bytes_) {
      const std::size_t at = start + static_cast<std::size_t>(bytes_);
      if (at >= text_.size() || (static_cast<unsigned char>(text_[at]) & 0xC0) != 0x80) {
        ++characters_;
      }
    }
    return characters_;
  }
  std::string_view line(int number) const {
    if (number < 0 || static_cast<std::size_t>(number) >= line_starts_.size()) return {};
    const std::size_t start = line_starts_[static_cast<std::size_t>(number)];
    return std::string_view(text_).substr(start, text_.find('\n', start) - start);
  }

 private:
  const std::string& text_;
  std::vector<std::size_t> line_starts_;
  int line_ = -1, bytes_ = 0, characters_ = 0;
};

struct Measure {
  std::size_t nodes = 1, bytes = 0, height = 1;
};

Measure measure(const YamlNode& node) {
  Measure result{1, node.text.size(), 1};
  const auto add = [&](const YamlNode& child) {
    const Measure of_child = measure(child);
    result.nodes += of_child.nodes;
    result.bytes += of_child.bytes;
    result.height = std::max(result.height, of_child.height + 1);
  };
  for (const YamlNode& item : node.items) add(item);
  for (const auto& [key, value] : node.members) {
    add(key);
    add(value);
  }
  return result;
}

class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(const std::string& file, Columns& columns) : file_(file), columns_(columns) {}

  bool began() const { return documents_ > 0; }
  YamlNode take() { return std::move(root_); }

  Place place(const YAML::Mark& mark) {
    return {file_, mark.line + 1, columns_.of(mark.line, mark.column) + 1};
  }
  [[noreturn]] static void refuse(const Place& at, const std::string& sentence) {
    throw Error(at.text() + ": " + sentence);
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) {
      refuse(place(mark),
             "found a second document, allowed: one in a file; check the indentation and remove "
             "'---' lines.");
    }
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    YamlNode node;
    node.place = place(mark);
    // What is missing after "key:" stands there, not where the next thing begins.
    if (!open_.empty() && open_.back().has_key && node.place.line > open_.back().key.place.line) {
      node.place = open_.back().key.place;
    }
    finish(std::move(node), anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_tag(mark, tag);
    YamlNode node;
    node.kind = YamlNode::Kind::scalar;
    node.text = value;
    node.plain = tag == "?";
    node.place = place(mark);
    finish(std::move(node), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto known = anchors_.find(anchor);
    if (known == anchors_.end()) {
      refuse(place(mark), "found an alias inside of what it stands for; write the value out.");
    }
    const Measure size = measure(known->second);
    count(place(mark), size);
    if (open_.size() + size.height > deepest) refuse_depth(place(mark));
    YamlNode copy = known->second;
    copy.place = place(mark);
    attach(std::move(copy));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    begin(mark, tag, anchor, YamlNode::Kind::sequence);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    begin(mark, tag, anchor, YamlNode::Kind::mapping);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapEnd() override { end(); }

 private:
  struct Open {
    YamlNode node;
    YAML::anchor_t anchor = 0;
    YamlNode key;
    bool has_key = false;
    std::unordered_map<std::string, Place> keys;
  };

  void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    refuse(place(mark),
           "found the tag '" + make_visible(shorten(tag, 60)) + "', allowed: values without tags.");
  }
  [[noreturn]] void refuse_depth(const Place& at) {
    refuse(at, "found more than " + std::to_string(deepest) +
                   " lists and mappings within one another, allowed: " + std::to_string(deepest) +
                   ".");
  }
  void count(const Place& at, const Measure& size) {
    nodes_ += size.nodes;
    bytes_ += size.bytes;
    if (nodes_ > most_nodes) {
      refuse(at, "found more than " + std::to_string(most_nodes) +
                     " values, aliases written out, allowed: " + std::to_string(most_nodes) + ".");
    }
    if (bytes_ > most_text) {
      refuse(at, "found more than " + format_size(most_text) +
                     " of text, aliases written out, allowed: " + format_size(most_text) + ".");
    }
  }

  void begin(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
             YamlNode::Kind kind) {
    refuse_tag(mark, tag);
    // Here, so that yaml-cpp, which recurses, never goes deeper than this either.
    if (open_.size() >= deepest) refuse_depth(place(mark));
    Open open;
    open.node.kind = kind;
    open.node.place = place(mark);
    open.anchor = anchor;
    open_.push_back(std::move(open));
  }
  void end() {
    Open done = std::move(open_.back());
    open_.pop_back();
    finish(std::move(done.node), done.anchor);
  }
  void finish(YamlNode node, YAML::anchor_t anchor) {
    count(node.place, Measure{1, node.text.size(), 1});
    if (anchor != 0) {
      count(node.place, measure(node));  // a copy is kept
      anchors_[anchor] = node;
    }
    attach(std::move(node));
  }
  void attach(YamlNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == YamlNode::Kind::sequence) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.has_key) {
      check_key(parent, node);
      parent.key = std::move(node);
      parent.has_key = true;
    } else {
      parent.node.members.push_back({std::move(parent.key), std::move(node)});
      parent.has_key = false;
    }
  }
  void check_key(Open& mapping, const YamlNode& key) {
    if (key.kind != YamlNode::Kind::scalar) {
      refuse(key.place, "found a key that is no text, allowed: a text before ':'.");
    }
    const std::string shown = "'" + make_visible(shorten(key.text, 60)) + "'";
    if (key.text == "<<") {
      refuse(key.place, "found the merge key '<<', allowed: keys written out.");
    }
    const auto [first, is_new] = mapping.keys.try_emplace(key.text, key.place);
    if (!is_new) {
      refuse(key.place, "found the key " + shown +
                            " a second time, allowed: once; the first is at " +
                            first->second.text() + ".");
    }
  }

  const std::string& file_;
  Columns& columns_;
  YamlNode root_;
  std::vector<Open> open_;
  std::unordered_map<YAML::anchor_t, YamlNode> anchors_;
  std::size_t nodes_ = 0, bytes_ = 0;
  int documents_ = 0;
};

// What yaml-cpp says, for somebody who never read its source.
std::string in_our_words(const std::string& message, std::string_view line) {
  struct Words {
    std::string_view theirs, ours;
  };
  constexpr std::array<Words, 12> table = {
      Words{"illegal map value",
            "found ':' where no value may begin; put quotes around a text that holds ': '"},
      {"illegal map key", "found a key where none may stand; check the indentation"},
      {"illegal block entry", "found '- ' where no entry may stand; check the indentation"},
      {"end of map not found", "found a line that fits no mapping above; check its indentation"},
      {"end of sequence not found", "found a line that fits no list above; check its indentation"},
      {"flow not found", "found no ']' or '}' that ends what begins here"},
      {"illegal flow end", "found a ']' or '}' that ends nothing"},
      {"illegal tab", "found a tab in the indentation, allowed: spaces"},
      {"illegal EOF in scalar", "found no quote that ends the text"},
      {"referenced anchor is not defined", "found an alias of an anchor that is not defined above"},
      {"unknown token", "found a character that begins no value; put quotes around the text"},
      {"unknown escape", "found an unknown escape after '\\'; in single quotes '\\' is itself"}};
  std::string result = message;
  for (const Words& words : table) {
    if (message.find(words.theirs) != std::string::npos) result = words.ours;
  }
  // yaml-cpp speaks of the entry behind it.
  if (line.substr(0, line.find_first_not_of(" \t")).find('\t') != std::string_view::npos) {
    result = "found a tab in the indentation, allowed: spaces";
  }
  if (line.find("${{") != std::string_view::npos) {
    result += "; a value with ${{ }} needs quotes inside [ ] and { }, and where it holds ': '";
  }
  return "this is not YAML: " + result + ".";
}

// Reads from the text itself; std::istringstream would copy it.
struct TextBuffer : std::streambuf {
  explicit TextBuffer(std::string& text) {
    setg(text.data(), text.data(), text.data() + text.size());
  }
};

void refuse_binary(const std::string& text, const std::string& file) {
  int line = 1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '\n') ++line;
    if ((byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7F) {
      throw Error(file + ":" + std::to_string(line) + ": found the control character " +
                  make_visible(text.substr(i, 1)) + ", allowed: a text file in UTF-8.");
    }
  }
  if (is_utf8(text)) return;
  line = 1;
  for (std::size_t start = 0; start < text.size(); ++line) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    if (!is_utf8(std::string_view(text).substr(start, end - start))) break;
    start = end + 1;
  }
  throw Error(file + ":" + std::to_string(line) +
              ": found bytes that are not UTF-8, allowed: a text file in UTF-8.");
}

}  // namespace

YamlNode parse_yaml(const std::string& original, const std::string& file) {
  if (original.size() > largest_yaml_file) {
    throw Error(file + ": found more than 1 MiB, allowed: 1 MiB.");
  }
  refuse_binary(original, file);
  std::string text = original;
  if (text.rfind("\xEF\xBB\xBF", 0) == 0) text.erase(0, 3);  // a byte order mark

  Columns columns(text);
  TreeBuilder builder(file, columns);
  TextBuffer buffer(text);
  std::istream stream(&buffer);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    TreeBuilder::refuse(builder.place(error.mark),
                        in_our_words(error.msg, columns.line(error.mark.line)));
  }
  if (!builder.began()) throw Error(file + ": found nothing, allowed: a YAML document.");
  return builder.take();
}

}  // namespace drydock
