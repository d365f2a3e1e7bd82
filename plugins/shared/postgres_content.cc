#include "postgres_content.h"

namespace drydock {
namespace {

// Longer lines reach us cut into pieces of this size (see drydock_process::on_line).
constexpr std::size_t longest_line = std::size_t{1} << 20;

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

bool ends_with(std::string_view text, std::string_view suffix) {
  return text.size() >= suffix.size() && text.substr(text.size() - suffix.size()) == suffix;
}

// Lines that differ from one dump of the same data to the next: comments, the random key of
// \restrict; and what only prepares the session.
bool is_volatile(std::string_view line) {
  return line.empty() || starts_with(line, "--") || starts_with(line, "\\restrict") ||
         starts_with(line, "\\unrestrict") || starts_with(line, "SET ") ||
         starts_with(line, "SELECT pg_catalog.set_config(");
}

// "public.apps" of `COPY public.apps (id, name) FROM stdin;`; "" for any other line.
std::string copied_table(std::string_view line) {
  constexpr std::string_view copy = "COPY ", from = " FROM stdin;";
  if (!starts_with(line, copy) || !ends_with(line, from)) return "";
  line.remove_prefix(copy.size());
  line.remove_suffix(from.size());
  return std::string(line.substr(0, line.find(" (")));
}

}  // namespace

void DumpReader::line(std::string_view text) {
  const bool continues = continues_;
  continues_ = text.size() == longest_line;
  if (!table_.empty()) {
    if (!continues && text == "\\.") {
      table_.clear();
      return;
    }
    row_.update(text);
    if (continues_) return;
    add_data(table_);
    ++rows_[table_];
    return;
  }
  if (is_volatile(text)) return;
  if (starts_with(text, "SELECT pg_catalog.setval(") ||
      starts_with(text, "SELECT pg_catalog.lowrite(")) {
    row_.update(text);
    add_data("");  // positions of sequences and large objects: data, but of no table
    return;
  }
  statements_.update(text);
  if (!continues_) statements_.update("\n");
  table_ = copied_table(text);
  if (!table_.empty()) rows_.try_emplace(table_, 0);
}

void DumpReader::add_data(const std::string& table) { sums_[table].add(row_.finish()); }

DumpContent DumpReader::finish() {
  DumpContent content;
  content.statements = statements_.finish_hex();
  for (const auto& [table, sum] : sums_) {
    row_.update(table + "\n");
    row_.update(sum.bytes());
  }
  content.data = row_.finish_hex();
  content.rows = rows_;
  return content;
}

}  // namespace drydock
