find_package(rapidcheck REQUIRED)
find_package(nlohmann_json REQUIRED)
drydock_test(env_file_test
  SOURCES env_file_test.cc LIBRARIES drydock_env_file rapidcheck nlohmann_json::nlohmann_json)
target_compile_definitions(env_file_test PRIVATE
  DRYDOCK_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
drydock_test(changed_files_test SOURCES changed_files_test.cc LIBRARIES drydock_files rapidcheck)
drydock_test(file_store_test SOURCES file_store_test.cc LIBRARIES drydock_files drydock_digest)
