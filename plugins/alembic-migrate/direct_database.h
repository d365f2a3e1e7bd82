// A database outside the deployment, asked over connections of this process.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "database_url.h"
#include "direct_session.h"
#include "drydock/stage.hpp"

namespace drydock::alembic {

class DirectDatabase {
 public:
  // url: with a database. patience: until a server that does not answer counts as dead.
  DirectDatabase(DatabaseUrl url, std::chrono::milliseconds patience)
      : url_(std::move(url)), patience_(patience) {}

  // For people: "PostgreSQL of db.example.org:5432".
  std::string place() const;
  // A session of its own, at the URL's database. Throws Failed with a whole sentence.
  std::unique_ptr<DirectSession> open() const { return open(url_.database); }
  // One statement, whoever asks, from any thread: in a session that is kept, if it is for the URL's
  // database, else in one of its own. database: of PostgreSQL, any but the URL's own stands for
  // what can be asked in every database of a server: there are servers that let a user into no
  // other.
  std::vector<DirectSession::Row> query(const std::string& database, const std::string& sql);
  void execute(const std::string& database, const std::string& sql);

 private:
  template <class Action>
  auto in_session(const std::string& database, Action action);
  std::unique_ptr<DirectSession> open(const std::string& database) const;

  const DatabaseUrl url_;
  const std::chrono::milliseconds patience_;
  std::mutex mutex_;
  std::unique_ptr<DirectSession> kept_;
};

}  // namespace drydock::alembic
