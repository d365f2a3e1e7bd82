// The boundary of drydock-direct.so, which connects to database servers by SOCI. In C, because a
// plugin has the C++ library in itself and this library has not: no exception and no object of it
// crosses. Loaded only where there is a database to connect to: the libraries behind it cost every
// step of a plugin that links them more than most steps take.
#pragma once

#include <cstddef>

extern "C" {

struct drydock_direct;  // one connection; for one thread at a time

// fields[i] is NULL for an SQL NULL.
using drydock_direct_row = void (*)(void* user, const char* const* fields, const std::size_t* sizes,
                                    std::size_t count);

// backend: "postgresql" or "mysql". NULL when it fails; `error` then has the reason.
using drydock_direct_open_t = drydock_direct*(const char* backend, const char* connection,
                                              char* error, std::size_t error_size);
// Runs one statement. row: for each row of its result; NULL for a statement that has none. 0: it
// failed, and `error` has the reason.
using drydock_direct_run_t = int(drydock_direct*, const char* sql, drydock_direct_row row,
                                 void* user, char* error, std::size_t error_size);
// The same with a text for each placeholder (`:1`, `:2`, ...) of the statement, whose result has
// `columns`; 0 for a statement that has none.
using drydock_direct_run_with_t = int(drydock_direct*, const char* sql, const char* const* values,
                                      const std::size_t* sizes, std::size_t count,
                                      std::size_t columns, drydock_direct_row row, void* user,
                                      char* error, std::size_t error_size);
using drydock_direct_close_t = void(drydock_direct*);

}  // extern "C"
