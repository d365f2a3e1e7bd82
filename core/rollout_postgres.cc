// PostgreSQL, through drydock-direct.so: `drydock` links no libpq, which would cost each of its
// starts some milliseconds.
#include <dlfcn.h>

#include <cstring>
#include <filesystem>

#include "direct_library.h"
#include "error.h"
#include "rollout_database.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;

constexpr auto file = "drydock-direct.so";

struct Library {
  drydock_direct_open_t* open = nullptr;
  drydock_direct_run_with_t* run = nullptr;
  drydock_direct_close_t* close = nullptr;
};

[[noreturn]] void unusable(const std::string& why) {
  throw Error("shared state on PostgreSQL cannot be used: " + why);
}

template <class Function>
Function* function(void* library, const char* name) {
  void* found = ::dlsym(library, name);
  if (found == nullptr) unusable(std::string(file) + " lacks " + name + "; install it again");
  return reinterpret_cast<Function*>(found);
}

// Never closed: libraries behind it are not made to be.
const Library& library() {
  static const Library loaded = [] {
    const fs::path bin = fs::read_symlink("/proc/self/exe").parent_path();
    const std::string path = (bin.parent_path() / "lib/drydock" / file).string();
    void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
      const char* why = ::dlerror();
      unusable(why == nullptr ? "no " + path : why);
    }
    return Library{function<drydock_direct_open_t>(handle, "drydock_direct_open"),
                   function<drydock_direct_run_with_t>(handle, "drydock_direct_run_with"),
                   function<drydock_direct_close_t>(handle, "drydock_direct_close")};
  }();
  return loaded;
}

// The server's words on one line, without those that the client library puts before them.
std::string cleaned(const std::string& error) {
  if (error.find("Failed to find shared library") == 0) {
    unusable(
        "this machine lacks SOCI's backend for it; install it (Debian: libsoci-postgresql4.0)");
  }
  std::string text;
  for (const char c : error) {
    if (c != '\n') {
      text += c;
    } else if (!text.empty() && text.back() != ' ') {
      text += ' ';
    }
  }
  for (const std::string_view noise : {"Cannot establish connection to the database. ",
                                       "Cannot execute query. ", "Cannot prepare statement. "}) {
    if (text.starts_with(noise)) text.erase(0, noise.size());
  }
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text.empty() ? "no message" : text;
}

// Without a password, for people.
std::string shown(const std::string& url) {
  const std::size_t begin = url.find("://") + 3;
  const std::size_t end = url.find_first_of("/?", begin);
  const std::size_t at = url.substr(0, end).rfind('@');
  const std::string_view query = "?";
  std::string text = url.substr(0, url.find(query));
  if (at == std::string::npos || at < begin) return text;
  const std::size_t colon = url.find(':', begin);
  if (colon < at) text.erase(colon, at - colon);
  return text;
}

// What the URL does not say itself: a server that is away is noticed.
std::string with_patience(std::string url) {
  constexpr std::string_view wanted[] = {"connect_timeout=10", "application_name=drydock",
                                         "keepalives_idle=30", "keepalives_interval=10",
                                         "keepalives_count=3", "tcp_user_timeout=30000"};
  for (const std::string_view each : wanted) {
    if (url.find(each.substr(0, each.find('=') + 1)) != std::string::npos) continue;
    url += (url.find('?') == std::string::npos ? '?' : '&') + std::string(each);
  }
  return url;
}

struct Rows {
  std::vector<RolloutDatabase::Row> rows;
  std::exception_ptr thrown;

  // Between two C++ libraries: nothing may be thrown through.
  static void add(void* user, const char* const* fields, const std::size_t* sizes,
                  std::size_t count) noexcept {
    auto* self = static_cast<Rows*>(user);
    try {
      RolloutDatabase::Row row;
      for (std::size_t i = 0; i < count; ++i) row.emplace_back(fields[i], sizes[i]);
      self->rows.push_back(std::move(row));
    } catch (...) {
      self->thrown = std::current_exception();
    }
  }
};

class PostgresDatabase : public RolloutDatabase {
 public:
  explicit PostgresDatabase(const std::string& url)
      : RolloutDatabase(shown(url)), connection_text_(with_patience(url)) {
    connect();
  }
  ~PostgresDatabase() override { disconnect(); }
  PostgresDatabase(const PostgresDatabase&) = delete;
  PostgresDatabase& operator=(const PostgresDatabase&) = delete;

  // One lock for all who write more than one row at a time.
  void begin() override {
    run("BEGIN");
    run("SELECT CAST(pg_advisory_xact_lock(7282377201) AS TEXT)", {}, 1);
  }
  void reconnect() override {
    disconnect();
    connect();
  }
  bool has_table(const std::string& name) override {
    return !run("SELECT relname FROM pg_catalog.pg_class WHERE oid = to_regclass(?)", {name}, 1)
                .empty();
  }
  std::int64_t now() override {
    return std::stoll(
        run("SELECT CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS BIGINT)", {}, 1)
            .at(0)
            .at(0));
  }
  std::string and_keep() const override { return " FOR SHARE"; }
  bool is_shared() const override { return true; }

 protected:
  std::vector<Row> perform(const std::string& sql, const Values& values,
                           std::size_t columns) override {
    std::string why;
    std::vector<Row> rows;
    if (attempt(sql, values, columns, rows, why)) return rows;
    std::string ignored;
    std::vector<Row> none;
    // A transaction that has failed refuses everything, and so is connected still.
    const bool gone = connection_ == nullptr || (!attempt("SELECT 1", {}, 1, none, ignored) &&
                                                 ignored.find("aborted") == std::string::npos);
    throw DatabaseFailure(why, gone);
  }

 private:
  bool attempt(const std::string& sql, const Values& values, std::size_t columns,
               std::vector<Row>& rows, std::string& why) {
    if (connection_ == nullptr) {
      why = "there is no connection";
      return false;
    }
    std::vector<const char*> texts;
    std::vector<std::size_t> sizes;
    for (const std::string& value : values) {
      texts.push_back(value.data());
      sizes.push_back(value.size());
    }
    char error[2000] = {};
    Rows answer;
    const bool ok =
        library().run(connection_, sql.c_str(), texts.data(), sizes.data(), texts.size(), columns,
                      &Rows::add, &answer, error, sizeof error) != 0;
    if (!ok) why = cleaned(error);
    if (answer.thrown) std::rethrow_exception(answer.thrown);
    rows = std::move(answer.rows);
    return ok;
  }

  void connect() {
    char error[2000] = {};
    connection_ = library().open("postgresql", connection_text_.c_str(), error, sizeof error);
    if (connection_ == nullptr) throw DatabaseFailure(cleaned(error), true);
  }
  void disconnect() {
    if (connection_ != nullptr) library().close(connection_);
    connection_ = nullptr;
  }

  std::string connection_text_;  // with a password in it, as the case may be
  drydock_direct* connection_ = nullptr;
};

}  // namespace

std::unique_ptr<RolloutDatabase> open_postgres_database(const std::string& url) {
  const bool known = url.starts_with("postgresql://") || url.starts_with("postgres://");
  if (!known || url.find_first_of(" \t\r\n'\\") != std::string::npos) {
    throw Error(
        "the shared state is no URL that starts with postgresql://, without blanks and "
        "quotes (write these as %20 and %27)");
  }
  try {
    return std::make_unique<PostgresDatabase>(url);
  } catch (const DatabaseFailure& e) {
    throw Error("the shared state " + shown(url) + " cannot be reached (" + e.what() +
                "); check the server, its name and the password");
  }
}

}  // namespace drydock
