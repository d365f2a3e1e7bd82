#include "postgres_properties.h"

#include "postgres_server.h"

namespace drydock {
namespace {

const char* const create_with = R"sql(
SELECT format('WITH TEMPLATE template0 OWNER %I ENCODING %L LC_COLLATE %L LC_CTYPE %L'
    ' TABLESPACE %I CONNECTION LIMIT %s', pg_get_userbyid(d.datdba),
    pg_encoding_to_char(d.encoding), d.datcollate, d.datctype, t.spcname, d.datconnlimit)
  || CASE to_jsonb(d)->>'datlocprovider'
       WHEN 'i' THEN format(' LOCALE_PROVIDER icu ICU_LOCALE %L',
                            coalesce(to_jsonb(d)->>'daticulocale', to_jsonb(d)->>'datlocale'))
       WHEN 'b' THEN format(' LOCALE_PROVIDER builtin BUILTIN_LOCALE %L', to_jsonb(d)->>'datlocale')
       ELSE '' END
FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace
WHERE d.datname = current_database();)sql";

// A setting that is a list is written as it is stored; any other one is one quoted value.
const char* const properties = R"sql(
SELECT format('ALTER %s SET %I TO %s;',
    CASE WHEN s.setrole = 0 THEN format('DATABASE %I', @name)
         ELSE format('ROLE %I IN DATABASE %I', pg_get_userbyid(s.setrole), @name) END,
    c.name, CASE WHEN c.name IN ('search_path', 'temp_tablespaces', 'local_preload_libraries',
                                 'session_preload_libraries') AND c.value <> ''
                 THEN c.value ELSE quote_literal(c.value) END)
FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase,
  LATERAL (SELECT split_part(e, '=', 1) AS name, substr(e, strpos(e, '=') + 1) AS value
           FROM unnest(s.setconfig) e) c
WHERE d.datname = current_database();
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC, %I;', @name, pg_get_userbyid(datdba))
FROM pg_database WHERE datacl IS NOT NULL AND datname = current_database();
SELECT format('GRANT %s ON DATABASE %I TO %s%s;', a.privilege_type, @name,
    CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE format('%I', pg_get_userbyid(a.grantee)) END,
    CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM pg_database d, LATERAL aclexplode(d.datacl) a WHERE d.datname = current_database();)sql";

}  // namespace

std::string create_with_query() { return create_with; }

std::string properties_query(const std::string& as) {
  static const std::string placeholder = "@name";
  const std::string name = as.empty() ? "current_database()" : quoted_literal(as);
  std::string sql = properties;
  for (std::size_t at = sql.find(placeholder); at != std::string::npos;
       at = sql.find(placeholder, at + name.size())) {
    sql.replace(at, placeholder.size(), name);
  }
  return sql;
}

}  // namespace drydock
