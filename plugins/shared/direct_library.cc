#include "direct_library.h"

#include <soci/soci.h>

#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "soci_rows.h"

#define DRYDOCK_DIRECT_EXPORT extern "C" __attribute__((visibility("default")))

struct drydock_direct {
  soci::session session;
};

namespace {

// what() of a SOCI error also holds the statement and the values bound to it.
template <class Action>
bool guarded(char* error, std::size_t size, Action action) noexcept {
  try {
    action();
    return true;
  } catch (const soci::soci_error& e) {
    std::snprintf(error, size, "%s", e.get_error_message().c_str());
  } catch (const std::exception& e) {
    std::snprintf(error, size, "%s", e.what());
  } catch (...) {
    std::snprintf(error, size, "something that is no exception was thrown");
  }
  return false;
}

// All columns as text, whatever their types: SOCI refuses a row of its own with types that it does
// not know. The number of columns is known once the statement has run, which it does only once.
void deliver_rows(soci::session& session, const char* sql, drydock_direct_row row, void* user) {
  soci::statement statement(session);
  statement.alloc();
  statement.prepare(sql, soci::details::st_one_time_query);
  const auto columns = static_cast<std::size_t>(statement.get_backend()->prepare_for_describe());
  std::vector<std::string> values(columns);
  std::vector<soci::indicator> nulls(columns, soci::i_ok);
  for (std::size_t i = 0; i < columns; ++i) statement.exchange(soci::into(values[i], nulls[i]));
  statement.define_and_bind();
  statement.execute(false);
  std::vector<const char*> fields(columns);
  std::vector<std::size_t> sizes(columns);
  while (columns != 0 && statement.fetch()) {
    for (std::size_t i = 0; i < columns; ++i) {
      fields[i] = nulls[i] == soci::i_null ? nullptr : values[i].data();
      sizes[i] = values[i].size();
    }
    row(user, fields.data(), sizes.data(), columns);
  }
}

}  // namespace

DRYDOCK_DIRECT_EXPORT drydock_direct* drydock_direct_open(const char* backend,
                                                          const char* connection, char* error,
                                                          std::size_t error_size) {
  std::unique_ptr<drydock_direct> opened;
  const bool ok = guarded(error, error_size, [&] {
    opened = std::make_unique<drydock_direct>();
    opened->session.open(backend, connection);
  });
  return ok ? opened.release() : nullptr;
}

DRYDOCK_DIRECT_EXPORT int drydock_direct_run(drydock_direct* direct, const char* sql,
                                             drydock_direct_row row, void* user, char* error,
                                             std::size_t error_size) {
  return guarded(error, error_size, [&] {
    if (row != nullptr) {
      deliver_rows(direct->session, sql, row, user);
    } else {
      direct->session << sql;
    }
  });
}

DRYDOCK_DIRECT_EXPORT int drydock_direct_run_with(drydock_direct* direct, const char* sql,
                                                  const char* const* values,
                                                  const std::size_t* sizes, std::size_t count,
                                                  std::size_t columns, drydock_direct_row row,
                                                  void* user, char* error, std::size_t error_size) {
  return guarded(error, error_size, [&] {
    std::vector<std::string> given;
    for (std::size_t i = 0; i < count; ++i) given.emplace_back(values[i], sizes[i]);
    std::vector<const char*> fields(columns);
    std::vector<std::size_t> lengths(columns);
    drydock::soci_rows(direct->session, sql, given, columns,
                       [&](const std::vector<std::string>& found) {
                         for (std::size_t i = 0; i < columns; ++i) {
                           fields[i] = found[i].data();
                           lengths[i] = found[i].size();
                         }
                         row(user, fields.data(), lengths.data(), columns);
                       });
  });
}

DRYDOCK_DIRECT_EXPORT void drydock_direct_close(drydock_direct* direct) {
  char ignored[8];
  guarded(ignored, sizeof ignored, [&] { delete direct; });
}
