find_package(rapidcheck REQUIRED)
find_package(nlohmann_json REQUIRED)
set(env_sync ${PROJECT_SOURCE_DIR}/plugins/env-sync)
add_library(env_sync_merge STATIC
  ${env_sync}/merge.cc ${env_sync}/merge_decide.cc ${env_sync}/merge_rename.cc
  ${env_sync}/merge_write.cc ${env_sync}/difference.cc ${env_sync}/services.cc
  ${env_sync}/variable_names.cc)
target_include_directories(env_sync_merge PUBLIC ${env_sync})
target_link_libraries(env_sync_merge
  PUBLIC drydock_env_file drydock::sdk nlohmann_json::nlohmann_json PRIVATE drydock_warnings)
drydock_test(env_merge_test SOURCES env_merge_test.cc LIBRARIES env_sync_merge rapidcheck)

# The whole stage, compiled once for its tests.
add_library(env_sync_tested STATIC
  ${env_sync}/env_sync_stage.cc ${env_sync}/sync.cc ${env_sync}/base.cc ${env_sync}/templates.cc
  ${env_sync}/options.cc ${env_sync}/compose_proof.cc ${env_sync}/report.cc)
target_link_libraries(env_sync_tested
  PUBLIC env_sync_merge drydock_files drydock_digest drydock::sdk PRIVATE drydock_warnings)
foreach(name env_sync_test env_defects_test env_chain_test env_compose_test env_options_test)
  drydock_test(${name} SOURCES ${name}.cc LIBRARIES env_sync_tested rapidcheck)
  target_compile_definitions(${name} PRIVATE DRYDOCK_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
endforeach()

# Timed by tests/bench/bench.py; no test.
add_executable(env_merge_bench ${CMAKE_CURRENT_SOURCE_DIR}/../bench/env_merge.cc)
target_include_directories(env_merge_bench PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(env_merge_bench PRIVATE env_sync_merge drydock_files drydock_warnings)
