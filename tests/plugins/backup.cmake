# The stages that keep and migrate databases. PostgreSQL runs for real, from a folder of the test's
# own; only what docker would answer is scripted.
find_package(SQLite3 REQUIRED)
drydock_test(backup_files_test
  SOURCES backup_files_test.cc LIBRARIES drydock_backup SQLite::SQLite3)
foreach(subject faults mariadb postgres restore set_aside)
  drydock_test(backup_${subject}_test WHOLE
    SOURCES backup_${subject}_test.cc LIBRARIES drydock_backup)
endforeach()
drydock_test(alembic_migrate_test
  SOURCES alembic_migrate_test.cc LIBRARIES drydock_alembic_migrate SQLite::SQLite3)
drydock_test(backup_url_test SOURCES backup_url_test.cc LIBRARIES drydock_backup)
drydock_test(command_pipe_test SOURCES command_pipe_test.cc LIBRARIES drydock_command_stream)
drydock_test(mariadb_content_test SOURCES mariadb_content_test.cc LIBRARIES drydock_mariadb rapidcheck)
