// A database client that does what it is told at the beginning, and then waits for more that never
// comes: its session stays open, and ends with the worker that keeps its input open.
#pragma once

#include <future>
#include <string>

#include "drydock/stage.hpp"

namespace drydock::alembic {

class IdleSession {
 public:
  // client: reads its statements from standard input. Throws Failed when no pipe can be made.
  IdleSession(const Call&, Process client, const std::string& statements);
  ~IdleSession();
  IdleSession(const IdleSession&) = delete;
  IdleSession& operator=(const IdleSession&) = delete;

  bool ended() const;
  // It has answered: nothing needs the name of its pipe any more.
  void has_begun() const;
  // More statements. Those of a session that has ended are lost, which ended() tells.
  void tell(const std::string& statements) const;
  // Ends the session, if it has not ended, and returns what it printed.
  const Captured& end();

 private:
  int input_ = -1;  // the client's standard input; its end is the session's end
  std::string path_;
  std::shared_future<Captured> running_;
};

}  // namespace drydock::alembic
