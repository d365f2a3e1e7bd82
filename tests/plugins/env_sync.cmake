find_package(rapidcheck REQUIRED)
find_package(nlohmann_json REQUIRED)
set(env_sync ${PROJECT_SOURCE_DIR}/plugins/env-sync)
add_library(env_sync_merge STATIC
  ${env_sync}/merge.cc ${env_sync}/merge_decide.cc ${env_sync}/merge_write.cc
  ${env_sync}/services.cc ${env_sync}/variable_names.cc)
target_include_directories(env_sync_merge PUBLIC ${env_sync})
target_link_libraries(env_sync_merge
  PUBLIC drydock_env_file nlohmann_json::nlohmann_json PRIVATE drydock_warnings)
drydock_test(env_merge_test SOURCES env_merge_test.cc LIBRARIES env_sync_merge rapidcheck)
drydock_test(env_sync_test
  SOURCES env_sync_test.cc ${env_sync}/env_sync_stage.cc ${env_sync}/sync.cc ${env_sync}/report.cc
  LIBRARIES env_sync_merge drydock_compose drydock_files)
target_compile_definitions(env_sync_test PRIVATE DRYDOCK_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
