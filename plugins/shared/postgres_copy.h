// Databases that are made for a while on a PostgreSQL server, and dropped again.
#pragma once

#include <string>

#include "postgres_server.h"

namespace drydock {

// Makes `to`, new, what `from` is at this moment, by the server's own pg_dump and pg_restore, which
// are what a backup and its restore are made with; owner, settings and privileges included, but no
// publications and subscriptions, which would act outside of it. `from` is only read. session: the
// name under which pg_dump connects, so that whoever comes after a death can end it. comment: of
// the new database. Throws Failed; `to` may be there then.
void copy_database(const Call&, const PostgresServer&, const std::string& from,
                   const std::string& to, const std::string& session, const std::string& comment);

// Ends the sessions that use it. Nothing where it is not there.
void drop_database(const Call&, const PostgresServer&, const std::string& name);

}  // namespace drydock
