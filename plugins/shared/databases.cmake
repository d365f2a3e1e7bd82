# What the stages that back up and migrate databases share.
find_package(SQLite3 REQUIRED)

shared_library(drydock_content_hash content_hash.cc)
target_link_libraries(drydock_content_hash PUBLIC drydock_digest)

shared_library(drydock_command_stream command_stream.cc command_pipe.cc)
target_link_libraries(drydock_command_stream PUBLIC drydock::sdk PRIVATE drydock_digest)

shared_library(drydock_postgres
  postgres_server.cc postgres_facts.cc postgres_content.cc postgres_copy.cc postgres_properties.cc)
target_link_libraries(drydock_postgres
  PUBLIC drydock::sdk PRIVATE drydock_command_stream drydock_compose drydock_content_hash)

shared_library(drydock_mariadb mariadb_server.cc mariadb_facts.cc mariadb_content.cc mariadb_copy.cc mariadb_names.cc)
target_link_libraries(drydock_mariadb
  PUBLIC drydock::sdk drydock_content_hash PRIVATE drydock_command_stream drydock_compose)

shared_library(drydock_mariadb_container mariadb_container.cc)
target_link_libraries(drydock_mariadb_container
  PUBLIC drydock_mariadb drydock_postgres_container drydock_compose)

shared_library(drydock_sqlite sqlite_file.cc)
target_link_libraries(drydock_sqlite PRIVATE drydock_content_hash SQLite::SQLite3)

shared_library(drydock_postgres_container postgres_container.cc)
target_link_libraries(drydock_postgres_container PUBLIC drydock_postgres drydock_compose)

shared_library(drydock_planned_backups planned_backups.cc)
target_link_libraries(drydock_planned_backups PUBLIC drydock::sdk)

shared_library(drydock_database_url database_url.cc)
target_link_libraries(drydock_database_url PUBLIC drydock::sdk)

shared_library(drydock_host_clients host_clients.cc)
target_link_libraries(drydock_host_clients PUBLIC drydock_postgres drydock_mariadb drydock_database_url)

# What connects to databases outside the deployment: a library of its own, which a plugin loads when there is
# such a database: with the clients' libraries it costs more than most steps take.
find_library(SOCI_CORE_SHARED libsoci_core.so REQUIRED)
add_library(drydock_direct_library MODULE direct_library.cc)
target_link_libraries(drydock_direct_library PRIVATE drydock_warnings ${SOCI_CORE_SHARED})
set_target_properties(drydock_direct_library PROPERTIES
  PREFIX "" OUTPUT_NAME drydock-direct CXX_VISIBILITY_PRESET hidden
  LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/drydock)
install(TARGETS drydock_direct_library LIBRARY DESTINATION lib/drydock)

shared_library(drydock_direct direct_session.cc)
add_dependencies(drydock_direct drydock_direct_library)
target_link_libraries(drydock_direct PUBLIC drydock::sdk drydock_database_url ${CMAKE_DL_LIBS})
