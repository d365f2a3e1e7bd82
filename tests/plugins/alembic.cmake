# Reading Alembic's revision files, compared with Alembic itself.
find_package(rapidcheck REQUIRED)
find_package(SQLite3 REQUIRED)
drydock_test(alembic_revision_test
  SOURCES alembic_revision_test.cc LIBRARIES drydock_alembic_migrate rapidcheck)
drydock_test(alembic_graph_test
  SOURCES alembic_graph_test.cc LIBRARIES drydock_alembic_migrate rapidcheck)
drydock_test(alembic_scripts_test
  SOURCES alembic_scripts_test.cc LIBRARIES drydock_alembic_migrate)
drydock_test(alembic_postgres_test
  SOURCES alembic_postgres_test.cc alembic_locks_test.cc alembic_place_test.cc LIBRARIES drydock_alembic_migrate)
drydock_test(alembic_mariadb_test
  SOURCES alembic_mariadb_test.cc LIBRARIES drydock_alembic_migrate)
drydock_test(alembic_tables_test
  SOURCES alembic_tables_test.cc LIBRARIES drydock_alembic_migrate rapidcheck)
drydock_test(alembic_outside_test
  SOURCES alembic_outside_test.cc LIBRARIES drydock_alembic_migrate)
drydock_test(tar_stream_test SOURCES tar_stream_test.cc LIBRARIES drydock_alembic_migrate)
drydock_test(alembic_image_test
  SOURCES alembic_image_test.cc LIBRARIES drydock_alembic_migrate)
drydock_test(alembic_rehearsal_test WHOLE
  SOURCES rehearsal_variables_test.cc alembic_rehearsal_test.cc alembic_rehearsal_mariadb_test.cc
  LIBRARIES drydock_alembic_migrate SQLite::SQLite3 rapidcheck)
# Two minutes of servers that dump, restore and migrate: too long to do twice a day.
set_tests_properties(alembic_rehearsal_test PROPERTIES LABELS no-asan)
