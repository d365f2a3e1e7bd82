#include "direct_session.h"

#include <dlfcn.h>

#include <algorithm>
#include <filesystem>
#include <future>
#include <regex>
#include <stdexcept>
#include <thread>

#include "direct_library.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;

constexpr auto file = "drydock-direct.so";
const char here_is = 0;  // in this object

struct Library {
  drydock_direct_open_t* open = nullptr;
  drydock_direct_run_t* run = nullptr;
  drydock_direct_close_t* close = nullptr;
};

// No time makes it come, so it is no Failed, after which a server is asked again.
[[noreturn]] void unusable(const std::string& why) {
  throw std::runtime_error("databases outside of the deployment cannot be asked: " + why);
}

template <class Function>
Function* function(void* library, const char* name) {
  void* found = ::dlsym(library, name);
  if (found == nullptr) unusable(std::string(file) + " lacks " + name + "; install it again");
  return reinterpret_cast<Function*>(found);
}

// Above the folder of the plugins, from which this code comes; where it is a part of a program,
// beside the program's own.
std::string library_path() {
  Dl_info here{};
  if (::dladdr(&here_is, &here) != 0 && here.dli_fname[0] == '/') {
    const fs::path beside = fs::path(here.dli_fname).parent_path().parent_path() / file;
    if (fs::exists(beside)) return beside;
  }
  return fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "lib/drydock" / file;
}

// Never closed, as a plugin is not.
const Library& library() {
  static const Library loaded = [] {
    void* handle = ::dlopen(library_path().c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
      const char* why = ::dlerror();
      unusable(why == nullptr ? std::string("no ") + file : why);
    }
    return Library{function<drydock_direct_open_t>(handle, "drydock_direct_open"),
                   function<drydock_direct_run_t>(handle, "drydock_direct_run"),
                   function<drydock_direct_close_t>(handle, "drydock_direct_close")};
  }();
  return loaded;
}

// SOCI takes a connection string apart at blanks and '='; a URL without either in its values stays
// what it is.
std::string percent_encoded(const std::string& text) {
  static const char digits[] = "0123456789ABCDEF";
  std::string result;
  for (char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       c == '-' || c == '.' || c == '_';
    if (plain) {
      result += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      result += {'%', digits[byte >> 4], digits[byte & 15]};
    }
  }
  return result;
}

std::string postgres_connection(const DatabaseUrl& url, const std::string& database,
                                const std::string& patience) {
  std::string text = "postgresql://" + percent_encoded(url.user.empty() ? "postgres" : url.user);
  if (!url.password.empty()) text += ":" + percent_encoded(url.password);
  text += "@";
  if (url.socket.empty()) {
    const bool six = url.host.find(':') != std::string::npos;
    text += six ? "[" + url.host + "]" : percent_encoded(url.host);
  }
  if (!url.port.empty()) text += ":" + url.port;
  text += "/" + percent_encoded(database) + "?connect_timeout=" + patience +
          "&application_name=drydock&keepalives_idle=30&keepalives_interval=10&keepalives_count=3&"
          "tcp_user_timeout=60000";
  if (!url.socket.empty()) text += "&host=" + percent_encoded(url.socket);
  if (!url.ssl_mode.empty()) text += "&sslmode=" + percent_encoded(url.ssl_mode);
  return text;
}

// The MySQL backend has a reader of its own: blanks between, quotes around, backslashes before.
std::string mysql_connection(const DatabaseUrl& url, const std::string& database,
                             const std::string& patience) {
  std::string text = "charset='utf8mb4' read_timeout='60' connect_timeout='" + patience + "'";
  const auto add = [&](const char* name, const std::string& value) {
    if (value.empty()) return;
    text += std::string(" ") + name + "='";
    for (char c : value) {
      if (c == '\'' || c == '\\') text += '\\';
      text += c;
    }
    text += "'";
  };
  if (!url.socket.empty()) {
    add("unix_socket", url.socket);
  } else {
    add("host", url.host == "localhost" ? "127.0.0.1" : url.host);  // which would be its socket
  }
  add("port", url.port);
  add("user", url.user.empty() ? "root" : url.user);
  add("password", url.password);
  add("dbname", database);
  return text;
}

// On one line, without what SOCI puts before the server's words.
std::string cleaned(const std::string& error, const std::string& kind) {
  if (error.find("Failed to find shared library") == 0) {
    unusable("this machine lacks the backend of SOCI for them; install it (Debian: libsoci-" +
             kind + "4.0)");
  }
  static const std::regex noise(
      R"(^(Cannot establish connection to the database\.|Cannot execute query\.|Cannot prepare statement\.)\s*)");
  static const std::regex place(R"(\n(LINE \d+: [^\n]*|\s*\^)(?=\n|$))");
  static const std::regex severity(R"((^|: )(ERROR|FATAL):\s+)");
  std::string text = std::regex_replace(error, noise, "");
  text = std::regex_replace(text, place, "");
  text = std::regex_replace(text, severity, "$1", std::regex_constants::format_first_only);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text.empty() ? "no message" : std::regex_replace(text, std::regex(R"(\s*\n\s*)"), "; ");
}

std::string backend(const DatabaseUrl& url) {
  return url.kind == "postgresql" ? "postgresql" : "mysql";
}

struct Answer {
  std::vector<DirectSession::Row> rows;
  std::exception_ptr thrown;

  // Between two C++ libraries: nothing may be thrown through.
  static void add(void* user, const char* const* fields, const std::size_t* sizes,
                  std::size_t count) noexcept {
    auto* self = static_cast<Answer*>(user);
    try {
      DirectSession::Row row(count);
      for (std::size_t i = 0; i < count; ++i) {
        if (fields[i] != nullptr) row[i].emplace(fields[i], sizes[i]);
      }
      self->rows.push_back(std::move(row));
    } catch (...) {
      self->thrown = std::current_exception();
    }
  }
};

}  // namespace

DirectSession::DirectSession(const DatabaseUrl& url, const std::string& database,
                             std::chrono::milliseconds patience)
    : patience_(patience) {
  char error[2000] = {};
  // libpq takes two seconds for the least.
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(patience).count();
  const std::string seconds = std::to_string(std::clamp<std::int64_t>(whole, 2, 10));
  const std::string connection = url.kind == "postgresql"
                                     ? postgres_connection(url, database, seconds)
                                     : mysql_connection(url, database, seconds);
  drydock_direct* opened =
      library().open(backend(url).c_str(), connection.c_str(), error, sizeof error);
  if (opened == nullptr) throw Failed(cleaned(error, backend(url)));
  connection_ = {opened, library().close};
}

// On a thread of its own: neither library can be told to give a statement up. One that never ends
// keeps its thread and the connection, until the process ends.
std::vector<DirectSession::Row> DirectSession::run(const std::string& sql, bool has_rows) {
  if (!connection_) throw Failed("the server did not answer before");
  struct Work {
    Answer answer;
    char error[2000] = {};
    bool ok = false;
    std::promise<void> done;
  };
  const auto work = std::make_shared<Work>();
  std::thread([work, sql, has_rows, connection = connection_] {
    work->ok = library().run(connection.get(), sql.c_str(), has_rows ? &Answer::add : nullptr,
                             &work->answer, work->error, sizeof work->error) != 0;
    work->done.set_value();
  }).detach();
  if (work->done.get_future().wait_for(patience_) != std::future_status::ready) {
    connection_.reset();
    throw Failed(
        "the server does not answer within " + std::to_string((patience_.count() + 999) / 1000) +
        " s, although it takes connections: it is stopped, or at its limits; look at it, or "
        "give it more time with `wait`");
  }
  if (!work->ok) throw Failed(cleaned(work->error, ""));
  if (work->answer.thrown) std::rethrow_exception(work->answer.thrown);
  return std::move(work->answer.rows);
}

std::vector<DirectSession::Row> DirectSession::query(const std::string& sql) {
  return run(sql, true);
}

void DirectSession::execute(const std::string& sql) { run(sql, false); }

}  // namespace drydock
