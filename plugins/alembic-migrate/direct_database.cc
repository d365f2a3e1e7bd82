#include "direct_database.h"

namespace drydock::alembic {
namespace {

bool on_postgres(const DatabaseUrl& url) { return url.kind == "postgresql"; }

}  // namespace

std::string DirectDatabase::place() const {
  return (on_postgres(url_)      ? "PostgreSQL"
          : url_.kind == "mysql" ? "MySQL"
                                 : "MariaDB") +
         (" of " + url_.place());
}

std::unique_ptr<DirectSession> DirectDatabase::open(const std::string& database) const {
  try {
    return std::make_unique<DirectSession>(url_, database, patience_);
  } catch (const Failed& e) {
    throw Failed("cannot connect to " + place() + (database.empty() ? "" : ", database ") +
                 database + ": " + e.what());
  }
}

template <class Action>
auto DirectDatabase::in_session(const std::string& database, Action action) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto in = [&](DirectSession& session) {
    try {
      return action(session);
    } catch (const Failed& e) {
      throw Failed(place() + (database.empty() ? "" : ", database ") + database + ": " + e.what());
    }
  };
  if (database != url_.database && !on_postgres(url_)) return in(*open(database));
  try {
    if (!kept_) kept_ = open();
  } catch (const Failed&) {
    if (database == url_.database) throw;
    // It may not be there yet.
    std::unique_ptr<DirectSession> other;
    try {
      other = open(database);
    } catch (const Failed&) {
    }
    if (!other) throw;
    return in(*other);
  }
  try {
    return in(*kept_);
  } catch (const Failed&) {
    kept_.reset();  // the connection may be what failed
    throw;
  }
}

std::vector<DirectSession::Row> DirectDatabase::query(const std::string& database,
                                                      const std::string& sql) {
  return in_session(database, [&](DirectSession& session) { return session.query(sql); });
}

void DirectDatabase::execute(const std::string& database, const std::string& sql) {
  in_session(database, [&](DirectSession& session) { session.execute(sql); });
}

}  // namespace drydock::alembic
