#include "mariadb_content.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace drydock {
namespace {

constexpr std::string_view insert_into = "INSERT INTO `";

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

// The table of "INSERT INTO `na``me` ...".
std::string table_of(std::string_view insert) {
  insert.remove_prefix(insert_into.size());
  std::string name;
  for (std::size_t i = 0; i < insert.size(); ++i) {
    if (insert[i] == '`' && (i + 1 == insert.size() || insert[++i] != '`')) break;
    name += insert[i];
  }
  return name;
}

// Takes " AUTO_INCREMENT=7" out of the last line of a CREATE TABLE, and returns the number: it
// moves without the table's structure being another.
std::optional<std::uint64_t> take_counter(std::string& line) {
  constexpr std::string_view option = " AUTO_INCREMENT=";
  if (!starts_with(line, ")")) return std::nullopt;
  const std::size_t begin = line.find(option);
  if (begin == std::string::npos) return std::nullopt;
  const std::size_t digits = begin + option.size();
  const std::size_t end = std::min(line.find_first_not_of("0123456789", digits), line.size());
  std::uint64_t counter = 0;
  std::from_chars(line.data() + digits, line.data() + end, counter);
  line.erase(begin, end - begin);
  return counter;
}

}  // namespace

void MariadbDumpReader::end_line() {
  constexpr std::string_view completed = "-- Dump completed", delimiter = "DELIMITER ";
  constexpr std::string_view create_table = "CREATE TABLE `";
  const std::string line = std::move(line_);
  line_.clear();
  if (line.empty()) return;
  completed_ = starts_with(line, completed);
  if (starts_with(line, "--")) return;  // names the database, or tells the time
  if (starts_with(line, delimiter)) in_routine_ = line != "DELIMITER ;";
  if (!in_routine_ && starts_with(line, create_table)) {
    table_ = table_of(std::string(insert_into) + line.substr(create_table.size()));
    rows_.try_emplace(table_, 0);
  }
  std::string structure = line;
  if (!in_routine_) {
    if (const auto counter = take_counter(structure)) counters_[table_] = *counter;
    if (starts_with(line, "DO SETVAL(")) {
      row_.update(line);
      sums_[""].add(row_.finish());
      return;
    }
  }
  statements_.update(structure);
  statements_.update("\n");
}

// Up to the end of the line, or of what names the rows that follow.
std::size_t MariadbDumpReader::feed_line(std::string_view bytes) {
  constexpr std::string_view values = " VALUES";
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (c == '\n' && !in_name_) {
      place_ = Place::line;
      end_line();
      continue;
    }
    line_ += c;
    if (place_ == Place::line) {
      if (line_.size() != insert_into.size() || in_routine_ || line_ != insert_into) continue;
      place_ = Place::insert_head;
      in_name_ = true;
    } else if (c == '`') {
      in_name_ = !in_name_;
    } else if (!in_name_ && c == 'S' && line_.size() > values.size() &&
               line_.compare(line_.size() - values.size(), values.size(), values) == 0) {
      table_ = table_of(line_);
      sum_ = &sums_[table_];
      count_ = &rows_[table_];
      line_.clear();
      completed_ = false;
      place_ = Place::between_rows;
      return i + 1;
    }
  }
  return bytes.size();
}

void MariadbDumpReader::add_row() {
  if (hashes_) sum_->add(row_.finish());
  ++*count_;
}

// Where a text ends or escapes; most of a dump is inside of texts, so that this decides how fast it
// is read.
std::size_t MariadbDumpReader::skip_text(std::string_view bytes, std::size_t i) {
  std::size_t quote = 0;  // the next one from i on, as far as it is known
  while (i < bytes.size()) {
    if (escaped_) {
      escaped_ = false;
      ++i;
      continue;
    }
    if (quote <= i) quote = std::min(bytes.find('\'', i), bytes.size());
    const std::size_t escape = bytes.substr(0, quote).find('\\', i);
    if (escape == std::string_view::npos) {
      if (quote == bytes.size()) return quote;
      place_ = Place::row;
      return quote + 1;
    }
    escaped_ = true;
    i = escape + 1;
    if (quote == i) quote = 0;  // that one is escaped
  }
  return i;
}

std::size_t MariadbDumpReader::feed_rows(std::string_view bytes) {
  std::size_t row =
      0;  // where in `bytes` what belongs to the row and is not in its hash yet begins
  for (std::size_t i = 0; i < bytes.size();) {
    if (place_ == Place::text) {
      i = skip_text(bytes, i);
      continue;
    }
    const char c = bytes[i++];
    if (place_ == Place::between_rows) {
      if (c == '(') {
        place_ = Place::row;
        depth_ = 1;
        row = i - 1;
      } else if (c == ';') {
        place_ = Place::line;
        return i;
      }
    } else if (c == '\'') {
      place_ = Place::text;
    } else if (c == '(') {
      ++depth_;
    } else if (c == ')' && --depth_ == 0) {
      if (hashes_) row_.update(bytes.substr(row, i - row));
      add_row();
      place_ = Place::between_rows;
    }
  }
  if (hashes_ && place_ != Place::between_rows) row_.update(bytes.substr(row));
  return bytes.size();
}

void MariadbDumpReader::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const bool rows = place_ != Place::line && place_ != Place::insert_head;
    bytes.remove_prefix(rows ? feed_rows(bytes) : feed_line(bytes));
  }
}

DumpContent MariadbDumpReader::finish() {
  if (!line_.empty()) end_line();
  DumpContent content;
  content.statements = statements_.finish_hex();
  content.rows = rows_;
  content.counters = counters_;
  if (!hashes_) return content;
  for (const auto& [table, sum] : sums_) {
    row_.update(table + "\n");
    row_.update(sum.bytes());
  }
  content.data = row_.finish_hex();
  return content;
}

}  // namespace drydock
