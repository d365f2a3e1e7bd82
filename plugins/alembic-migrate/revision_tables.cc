#include "revision_tables.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "python_literal.h"
#include "python_source.h"

namespace drydock::alembic {
namespace {

using Tokens = std::vector<PythonToken>;
using Range = std::pair<const PythonToken*, const PythonToken*>;

// What a call of `op` takes: where its table stands, and what becomes of it.
struct Operation {
  const char* name;
  int table;            // its place among the arguments
  const char* keyword;  // or its name there
  void (*change)(TableChange&);
};

void nothing(TableChange&) {}
void check(TableChange& change) { change.checked = true; }
void index(TableChange& change) { change.indexed = true; }

const Operation operations[] = {
    {"add_column", 0, "table_name", nothing},
    {"drop_column", 0, "table_name", nothing},
    {"alter_column", 0, "table_name", nothing},  // by its further arguments
    {"create_table", 0, "table_name", [](TableChange& change) { change.created = true; }},
    {"drop_table", 0, "table_name", [](TableChange& change) { change.dropped = true; }},
    {"rename_table", 0, "old_table_name", nothing},
    {"create_table_comment", 0, "table_name", nothing},
    {"drop_table_comment", 0, "table_name", nothing},
    {"batch_alter_table", 0, "table_name", nothing},
    {"create_index", 1, "table_name", index},
    {"create_unique_constraint", 1, "table_name", index},
    {"create_primary_key", 1, "table_name", index},
    {"create_exclude_constraint", 1, "table_name", index},
    {"create_check_constraint", 1, "table_name", check},
    {"create_foreign_key", 1, "source_table", check},
    {"drop_constraint", 1, "table_name", nothing},
    {"drop_index", 1, "table_name", nothing}};

// Which say nothing to the database.
constexpr std::string_view harmless[] = {"f", "get_context", "get_bind", "implementation_for",
                                         "inline_literal"};
// Of any object: statements, whatever they are.
constexpr std::string_view talking[] = {"execute", "exec_driver_sql", "executemany", "scalar",
                                        "scalars", "query",           "bulk_insert"};

// sa.String(length=255), VARCHAR(40), sa.Text(): what a text type may hold; 0: any length. nullopt:
// it is none, or that cannot be told.
std::optional<long> text_length(const PythonToken* begin, const PythonToken* end) {
  constexpr std::string_view limited[] = {"String", "VARCHAR", "Unicode"};
  constexpr std::string_view unlimited[] = {"Text", "TEXT", "UnicodeText"};
  const PythonToken* name = end - begin > 2 && begin[1].is(".") ? begin + 2 : begin;
  const auto is_one_of = [&](const auto& names) {
    return std::find(std::begin(names), std::end(names), name->text) != std::end(names);
  };
  if (is_one_of(unlimited)) return 0;
  if (!is_one_of(limited)) return std::nullopt;
  for (const PythonToken* one = name; one != end; ++one) {
    if (one->kind == PythonToken::Kind::number) return std::atol(std::string(one->text).c_str());
  }
  return 0;
}

class Reader {
 public:
  RevisionTables read(std::string_view source) {
    try {
      UpgradeLines lines(source);
      for (PythonLine line; lines.next(line);) look_at(line.tokens);
    } catch (const Unreadable&) {
      found_.more = true;
    }
    return std::move(found_);
  }

 private:
  // OBJECT.NAME( ...
  void look_at(const Tokens& tokens) {
    for (std::size_t i = 0; i + 3 < tokens.size(); ++i) {
      const bool object_ends = tokens[i].kind == PythonToken::Kind::name || tokens[i].is(")");
      const bool call = object_ends && tokens[i + 1].is(".") &&
                        tokens[i + 2].kind == PythonToken::Kind::name && tokens[i + 3].is("(");
      if (!call) continue;
      const std::string object(tokens[i].text), name(tokens[i + 2].text);
      const std::size_t end = closing(tokens, i + 3);
      const std::vector<Range> arguments = split(tokens, i + 4, end);
      const auto batch = batches_.find(object);
      if (object == "op" || batch != batches_.end()) {
        operate(name, batch == batches_.end() ? "" : batch->second, arguments);
        if (name == "batch_alter_table") open_batch(tokens, end, arguments);
      } else if (std::find(std::begin(talking), std::end(talking), name) != std::end(talking)) {
        execute(arguments);
      }
    }
  }

  static std::size_t closing(const Tokens& tokens, std::size_t open) {
    int depth = 0;
    for (std::size_t i = open; i < tokens.size(); ++i) {
      if (tokens[i].is("(") || tokens[i].is("[") || tokens[i].is("{")) ++depth;
      if (tokens[i].is(")") || tokens[i].is("]") || tokens[i].is("}")) --depth;
      if (depth == 0) return i;
    }
    return tokens.size();
  }

  static std::vector<Range> split(const Tokens& tokens, std::size_t begin, std::size_t end) {
    std::vector<Range> parts;
    int depth = 0;
    std::size_t from = begin;
    for (std::size_t i = begin; i <= end && begin < end; ++i) {
      if (i == end || (depth == 0 && tokens[i].is(","))) {
        if (i > from) parts.emplace_back(tokens.data() + from, tokens.data() + i);
        from = i + 1;
      } else if (tokens[i].is("(") || tokens[i].is("[") || tokens[i].is("{")) {
        ++depth;
      } else if (tokens[i].is(")") || tokens[i].is("]") || tokens[i].is("}")) {
        --depth;
      }
    }
    return parts;
  }

  static bool is_keyword(const Range& argument) {
    return argument.second - argument.first > 2 &&
           argument.first->kind == PythonToken::Kind::name && argument.first[1].is("=");
  }
  // The value of a keyword argument; nullopt: there is none of the name.
  static std::optional<Range> keyword(const std::vector<Range>& arguments, std::string_view name) {
    for (const Range& one : arguments) {
      if (is_keyword(one) && one.first->is_name(name)) return Range(one.first + 2, one.second);
    }
    return std::nullopt;
  }
  static bool is_set(const std::vector<Range>& arguments, std::string_view name,
                     std::string_view value) {
    const auto found = keyword(arguments, name);
    return found && found->second - found->first == 1 && found->first->is_name(value);
  }
  static std::optional<Range> positional(const std::vector<Range>& arguments, int place) {
    for (const Range& one : arguments) {
      if (is_keyword(one)) return std::nullopt;
      if (place-- == 0) return one;
    }
    return std::nullopt;
  }
  static std::optional<std::string> text(const Range& value) {
    const auto literal = python_literal(value.first, value.second);
    if (!literal || literal->kind != PythonLiteral::Kind::text) return std::nullopt;
    return literal->text;
  }

  // batch: the table of the batch; "": the call names its own.
  void operate(const std::string& name, const std::string& batch,
               const std::vector<Range>& arguments) {
    if (name == "execute") return execute(arguments);
    const auto operation = std::find_if(std::begin(operations), std::end(operations),
                                        [&](const Operation& one) { return name == one.name; });
    if (operation == std::end(operations)) {
      found_.more = found_.more ||
                    std::find(std::begin(harmless), std::end(harmless), name) == std::end(harmless);
      return;
    }
    std::optional<std::string> table;
    if (batch.empty()) {
      auto value = positional(arguments, operation->table);
      if (!value) value = keyword(arguments, operation->keyword);
      table = value ? text(*value) : std::nullopt;
      const auto schema = keyword(arguments, "schema");
      const auto schema_text = schema ? text(*schema) : std::nullopt;
      if (table && schema_text) table = *schema_text + "." + *table;
    } else {
      table = batch;
    }
    if (!table) {
      found_.more = true;
      return;
    }
    TableChange& change = found_.tables[*table];
    const bool concurrently = is_set(arguments, "postgresql_concurrently", "True");
    if (!concurrently) operation->change(change);
    change.altered = change.altered || name != "create_table";
    const bool index = name == "create_index" || name == "drop_index";
    const bool whole = name == "create_table" || name == "drop_table";
    change.by_index = change.by_index || index;
    change.by_alter_table = change.by_alter_table || (!index && !whole);
    if (name == "alter_column") {
      change.retyped = change.retyped || rewrites(arguments);
      change.checked = change.checked || is_set(arguments, "nullable", "False");
    }
  }

  // Whether a column gets another type, and not only a text more room: that changes no row.
  static bool rewrites(const std::vector<Range>& arguments) {
    const auto type = keyword(arguments, "type_"), existing = keyword(arguments, "existing_type");
    if (!type) return false;
    if (!existing) return true;
    const auto now = text_length(existing->first, existing->second);
    const auto then = text_length(type->first, type->second);
    return !now || !then || (*then != 0 && (*now == 0 || *then < *now));
  }

  // `with op.batch_alter_table('notes') as NAME:`
  void open_batch(const Tokens& tokens, std::size_t end, const std::vector<Range>& arguments) {
    if (end + 2 >= tokens.size() || !tokens[end + 1].is_name("as")) return;
    auto value = positional(arguments, 0);
    if (!value) value = keyword(arguments, "table_name");
    const auto table = value ? text(*value) : std::nullopt;
    const std::string name(tokens[end + 2].text);
    if (table) {
      batches_[name] = *table;
    } else {
      batches_.erase(name);
    }
  }

  // A text, or text(...) of one.
  void execute(const std::vector<Range>& arguments) {
    auto statement = positional(arguments, 0);
    if (statement && (statement->second - 1)->is(")")) {
      const PythonToken* open = std::find_if(statement->first, statement->second,
                                             [](const PythonToken& one) { return one.is("("); });
      const bool of_text =
          open != statement->first && open != statement->second && (open - 1)->is_name("text");
      if (of_text) statement = Range(open + 1, statement->second - 1);
    }
    const auto sql = statement ? text(*statement) : std::nullopt;
    if (sql) {
      add_sql_tables(*sql, found_);
    } else {
      found_.more = true;
    }
  }

  RevisionTables found_;
  std::map<std::string, std::string> batches_;  // variable -> table
};

}  // namespace

RevisionTables revision_tables(std::string_view source) { return Reader().read(source); }

}  // namespace drydock::alembic
