// Which tables a revision names, how that is told, and what a migration of them is refused for.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "alembic_postgres_world.h"
#include "mariadb_grants.h"
#include "revision_tables.h"
#include "table_sizes.h"
#include "table_space.h"

using namespace drydock::alembic;
using namespace drydock::testing;

namespace {

RevisionTables tables_of(const std::string& upgrade) {
  return revision_tables("from alembic import op\nimport sqlalchemy as sa\n\ndef upgrade():\n" +
                         upgrade);
}

std::string names(const RevisionTables& found) {
  std::string text;
  for (const auto& table : found.tables) text += (text.empty() ? "" : " ") + table.first;
  return text;
}

TEST(RevisionTables, AreThoseThatTheCallsOfOpName) {
  const RevisionTables found = tables_of(
      "    op.add_column('notes', sa.Column('title', sa.String(length=255)))\n"
      "    op.create_index(op.f('ix_users'), 'users', ['name'], unique=False)\n"
      "    op.create_foreign_key(None, 'files', 'users', ['user'], ['id'])\n"
      "    op.create_table('drafts',\n        sa.Column('id', sa.Integer()),\n    )\n"
      "    op.alter_column(table_name='marks', column_name='a', type_=sa.BigInteger())\n"
      "    op.drop_index('ix', table_name='tags', schema='old')\n"
      "    with op.batch_alter_table('rooms', schema=None) as batch_op:\n"
      "        batch_op.alter_column('a', existing_type=sa.INTEGER(), nullable=False)\n"
      "        batch_op.create_index('ix_rooms', ['a'])\n");
  EXPECT_EQ(names(found), "drafts files marks notes old.tags rooms users");
  EXPECT_FALSE(found.more);
  EXPECT_TRUE(found.tables.at("drafts").created);
  EXPECT_FALSE(found.tables.at("drafts").altered);
  EXPECT_TRUE(found.tables.at("marks").retyped);
  EXPECT_TRUE(found.tables.at("users").indexed);
  EXPECT_TRUE(found.tables.at("files").checked);
  EXPECT_TRUE(found.tables.at("rooms").checked);
  EXPECT_TRUE(found.tables.at("rooms").indexed);
  EXPECT_FALSE(found.tables.at("notes").retyped);
}

TEST(RevisionTables, OfADowngradeDoNotCount) {
  const RevisionTables found = revision_tables(
      "def downgrade():\n    op.drop_table('notes')\n    if x:\n        op.drop_table('b')\n\n"
      "def upgrade():\n    op.drop_table('users')\n");
  EXPECT_EQ(names(found), "users");
  EXPECT_TRUE(found.tables.at("users").dropped);
}

TEST(RevisionTables, OfSqlAreReadWhereItIsALiteral) {
  const RevisionTables found = tables_of(
      "    op.execute('ALTER TABLE public.Notes ALTER COLUMN a TYPE bigint; UPDATE users SET a = "
      "1')\n"
      "    op.execute(sa.text(\"CREATE INDEX CONCURRENTLY ix ON \\\"Tags\\\" (a)\"))\n"
      "    op.get_bind().execute(sa.text('CREATE UNIQUE INDEX ON marks (a)'))\n"
      "    connection.execute('INSERT INTO rooms VALUES (1, \\';\\')')\n");
  EXPECT_EQ(names(found), "Tags marks public.notes rooms users");
  EXPECT_TRUE(found.tables.at("public.notes").retyped);
  EXPECT_TRUE(found.tables.at("Tags").altered);
  EXPECT_FALSE(found.tables.at("Tags").indexed);
  EXPECT_TRUE(found.tables.at("marks").indexed);
  EXPECT_FALSE(found.tables.at("users").altered);
  EXPECT_TRUE(found.tables.at("public.notes").by_alter_table);
  EXPECT_FALSE(found.tables.at("marks").by_alter_table);
  EXPECT_TRUE(found.tables.at("marks").by_index);
  EXPECT_FALSE(found.more);
}

TEST(RevisionTables, ThatTheSourceDoesNotNameAreSaidToBeThere) {
  for (const char* body :
       {"    op.execute(f'ALTER TABLE {name} ADD a int')\n", "    op.add_column(name, column)\n",
        "    session.query(Note).all()\n", "    op.bulk_insert(table, rows)\n",
        "    op.execute('DO $$ BEGIN END $$')\n", "    op.invoke(thing)\n", "    op.a(\n"}) {
    EXPECT_TRUE(tables_of(body).more) << body;
  }
  for (const char* body : {"    conn = op.get_bind()\n    pass\n",
                           "    with op.get_context().autocommit_block():\n        pass\n"}) {
    EXPECT_FALSE(tables_of(body).more) << body;
  }
}

TEST(RevisionTables, AreNotWrittenAnewForATextWithMoreRoom) {
  const auto retyped = [](const std::string& from, const std::string& to) {
    return tables_of("    op.alter_column('n', 'a', existing_type=" + from + ", type_=" + to +
                     ")\n")
        .tables.at("n")
        .retyped;
  };
  EXPECT_FALSE(retyped("sa.VARCHAR(length=40)", "sa.String(length=255)"));
  EXPECT_FALSE(retyped("sa.VARCHAR(40)", "sa.Text()"));
  EXPECT_TRUE(retyped("sa.VARCHAR(255)", "sa.String(40)"));
  EXPECT_TRUE(retyped("sa.Text()", "sa.String(40)"));
  EXPECT_TRUE(retyped("sa.INTEGER()", "sa.BigInteger()"));
  EXPECT_TRUE(retyped("sa.VARCHAR(255)", "StringUUID()"));
}

TEST(RevisionTables, SurviveAnything) {
  EXPECT_TRUE(rc::check([] {
    const auto pieces = *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
        "op", ".", "execute", "(", ")", ",", "'a'", "\"", "text", "batch_alter_table", "as", "x",
        "=", "\n", "    ", "def", "downgrade", "[", "]", "{", "}", "create_index", "ALTER TABLE",
        "type_", ";", "'", "f'"));
    std::string source;
    for (const std::string& one : pieces) source += one;
    revision_tables(source);
  }));
}

TEST(TableSizes, AreWrittenForPeople) {
  EXPECT_EQ(bytes_text(0), "0 bytes");
  EXPECT_EQ(bytes_text(1023), "1023 bytes");
  EXPECT_EQ(bytes_text(8192), "8.0 KiB");
  EXPECT_EQ(bytes_text(123456789), "117 MiB");
  EXPECT_EQ(bytes_text(1610612736), "1.5 GiB");
  EXPECT_EQ(free_bytes_of_df("Filesystem 1024-blocks Used Available Capacity Mounted on\n"
                             "/dev/vda1 41152736 20000000 21152736 49% /\n"),
            21152736LL * 1024);
  EXPECT_EQ(free_bytes_of_df("df: /x: No such file\n"), -1);
}

TEST(MariadbGrants, CountForTheDatabaseThatTheyName) {
  const auto of = [](std::vector<std::string> lines) {
    const auto found = granted_privileges(lines, "my_app");
    if (!found) return std::string("unknown");
    std::string text;
    for (const std::string& one : *found) text += (text.empty() ? "" : ", ") + one;
    return text;
  };
  const std::string usage = "GRANT USAGE ON *.* TO `w`@`%` IDENTIFIED BY PASSWORD '*6'";
  EXPECT_EQ(of({usage, "GRANT SELECT, INSERT ON `my\\_app`.* TO `w`@`%`"}),
            "INSERT, SELECT, USAGE");
  EXPECT_EQ(of({usage, "GRANT ALL PRIVILEGES ON `my%`.* TO `w`@`%` WITH GRANT OPTION"}),
            "ALL PRIVILEGES, USAGE");
  EXPECT_EQ(of({usage, "GRANT ALTER ON \"my\\_app\".* TO \"w\"@\"%\""}), "ALTER, USAGE");
  EXPECT_EQ(of({usage, "GRANT ALTER ON `other`.* TO `w`@`%`"}), "USAGE");
  EXPECT_EQ(of({usage, "GRANT ALTER ON `my\\_ap`.* TO `w`@`%`"}), "USAGE");
  EXPECT_EQ(of({usage, "GRANT SELECT ON `my_app`.`notes` TO `w`@`%`"}), "unknown");
  EXPECT_EQ(of({usage, "GRANT `writers` TO `w`@`%`"}), "unknown");
}

class AlembicTables : public AlembicOnPostgres {
 protected:
  void SetUp() override {
    AlembicOnPostgres::SetUp();
    if (IsSkipped()) return;
    sql("CREATE TABLE notes AS SELECT n AS id FROM generate_series(1, 20000) n; ANALYZE notes;"
        "CREATE TABLE alembic_version (version_num varchar(32));"
        "INSERT INTO alembic_version VALUES ('one')");
    revision("one", "None", "pass");
    revision("two", "'one'", "op.alter_column('notes', 'id', type_=sa.BigInteger())");
    revision("three", "'two'", "op.create_index('ix', 'notes', ['id'])");
    revision("four", "'three'", "op.execute('CREATE TABLE tags (id int)')");
  }
  std::string detail(const std::string& name) const {
    for (const auto& change : host.changes) {
      if (change.name == name && change.action == "run") return change.detail;
    }
    return "no change";
  }
};

TEST_F(AlembicTables, ThePlanSaysHowLargeTheyAre) {
  host.option("/large_table", 100000);
  const StepResult plan = fresh_plan();
  ASSERT_TRUE(plan.ok()) << plan.failure;
  EXPECT_NE(detail("two").find("on notes ("), std::string::npos) << detail("two");
  EXPECT_NE(detail("two").find("KiB, about 20000 rows)"), std::string::npos) << detail("two");
  EXPECT_EQ(detail("four"), "");
  EXPECT_NE(host.log_text().find("revision two gives a column of notes ("), std::string::npos)
      << host.log_text();
  EXPECT_NE(host.log_text().find("revision three builds an index on notes ("), std::string::npos);
  host.logs.clear();
  host.option("/large_table", 1 << 30);
  ASSERT_TRUE(fresh_plan().ok());
  EXPECT_EQ(host.log_text().find("revision two"), std::string::npos) << host.log_text();
}

TEST_F(AlembicTables, AreRefusedWhereThereIsNoRoomToWriteThemAnew) {
  std::string available = "64";
  docker->instead = [&](const std::vector<std::string>& words) -> std::optional<Result> {
    if (words[0] != "df") return std::nullopt;
    EXPECT_EQ(words.back(), server_->folder() + "/data");
    return Result{0, "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda1 9 9 " +
                         available + " 9% /\n"};
  };
  host.option("/space", "refuse");
  for (const StepResult& refused : {fresh_plan(), step("run")}) {
    EXPECT_NE(refused.failure.find("may write tables anew that take "), std::string::npos)
        << refused.failure;
    EXPECT_NE(refused.failure.find(" (notes), and only 64 KiB are free in "), std::string::npos)
        << refused.failure;
  }
  EXPECT_EQ(stamp(), "one\n");
  host.option("/space", "warn");
  EXPECT_TRUE(fresh_plan().ok());
  host.option("/space", "refuse");
  available = "999999";
  EXPECT_TRUE(fresh_plan().ok());
}

TEST_F(AlembicTables, AreRefusedToARoleThatDoesNotOwnThem) {
  sql("CREATE ROLE writer LOGIN; ALTER TABLE alembic_version OWNER TO writer");
  host.option("/database/role", "writer");
  StepResult refused = fresh_plan();
  EXPECT_NE(refused.failure.find("role writer may not change the tables notes (of app)"),
            std::string::npos)
      << refused.failure;
  EXPECT_EQ(step("run").failure, refused.failure);
  sql("ALTER TABLE notes OWNER TO writer");
  refused = fresh_plan();
  EXPECT_NE(refused.failure.find("may not create the tables of pending revisions in schema public"),
            std::string::npos)
      << refused.failure;
  sql("GRANT CREATE ON SCHEMA public TO writer");
  // One of the same name in a schema that no revision names is none of the migration's.
  sql("CREATE SCHEMA other; CREATE TABLE other.notes (id int)");
  EXPECT_TRUE(fresh_plan().ok());
  sql("ALTER TABLE notes OWNER TO app");
  host.option("/rights", "warn");
  EXPECT_TRUE(fresh_plan().ok());
  EXPECT_NE(host.log_text().find("role writer may not change the tables notes (of app)"),
            std::string::npos)
      << host.log_text();
  host.logs.clear();
  host.option("/rights", "ignore");
  EXPECT_TRUE(fresh_plan().ok());
  EXPECT_EQ(host.log_text().find("may not change"), std::string::npos) << host.log_text();
  host.option("/rights", "refuse");
  // Who only seems to be the application's is warned of.
  sql("ALTER TABLE notes OWNER TO app");
  host.option("/database/role", "");
  host.logs.clear();
  EXPECT_TRUE(fresh_plan().ok());
  EXPECT_NE(host.log_text().find("role writer may not change the tables notes (of app)"),
            std::string::npos)
      << host.log_text();
  sql("DROP TABLE alembic_version; DROP OWNED BY writer; DROP ROLE writer");
}

}  // namespace
