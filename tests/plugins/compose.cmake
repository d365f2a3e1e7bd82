# The stages of Compose projects. What runs on a real engine is one test that starts the engine for
# itself; the others script what docker answers.
set(compose_stages
  ${PROJECT_SOURCE_DIR}/plugins/compose-stop/compose_stop_stage.cc
  ${PROJECT_SOURCE_DIR}/plugins/compose-up/compose_up_stage.cc
  ${PROJECT_SOURCE_DIR}/plugins/compose-up/up_decisions.cc
  ${PROJECT_SOURCE_DIR}/plugins/compose-up/up_mounts.cc
  ${PROJECT_SOURCE_DIR}/plugins/compose-up/up_notes.cc
  ${PROJECT_SOURCE_DIR}/plugins/compose-up/up_options.cc
  ${PROJECT_SOURCE_DIR}/plugins/compose-up/up_plan.cc
  ${PROJECT_SOURCE_DIR}/plugins/compose-up/up_rolling.cc
  ${PROJECT_SOURCE_DIR}/plugins/compose-up/up_start.cc
  ${PROJECT_SOURCE_DIR}/plugins/compose-up/up_way_back.cc
  ${PROJECT_SOURCE_DIR}/plugins/pull/pull_stage.cc)
add_library(compose_stages STATIC ${compose_stages})
target_link_libraries(compose_stages PUBLIC drydock_compose drydock_files PRIVATE drydock_warnings)
target_include_directories(compose_stages PUBLIC
  ${PROJECT_SOURCE_DIR}/plugins/compose-stop ${PROJECT_SOURCE_DIR}/plugins/compose-up
  ${PROJECT_SOURCE_DIR}/plugins/pull)

# engine_test(NAME PROGRAM LABELS FILTER): cases of a program on an engine that the test starts.
function(engine_test name program labels filter)
  add_test(NAME ${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/on-engine.sh
    $<TARGET_FILE:${program}> --gtest_filter=${filter})
  set_tests_properties(${name} PROPERTIES LABELS "${labels}" SKIP_RETURN_CODE 77 TIMEOUT 600)
endfunction()
foreach(program compose_engine_test compose_up_engine_test)
  add_executable(${program} ${program}.cc)
  target_link_libraries(${program} PRIVATE drydock_warnings compose_stages GTest::gtest_main)
  set_target_properties(${program} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
endforeach()
engine_test(compose_engine compose_engine_test engine *)
engine_test(compose_up_engine compose_up_engine_test engine ComposeUpEngine.*)
engine_test(compose_up_engine_long compose_up_engine_test "engine;long" ComposeUpEngineLong.*)

drydock_test(compose_decisions_test SOURCES compose_decisions_test.cc LIBRARIES compose_stages)
drydock_test(compose_command_test SOURCES compose_command_test.cc LIBRARIES compose_stages)
drydock_test(compose_up_decisions_test
  SOURCES compose_up_decisions_test.cc LIBRARIES compose_stages rapidcheck)
drydock_test(compose_patience_test SOURCES compose_patience_test.cc LIBRARIES compose_stages)
drydock_test(compose_stops_test SOURCES compose_stops_test.cc LIBRARIES compose_stages)
drydock_test(pull_test SOURCES pull_test.cc LIBRARIES compose_stages)
drydock_test(preflight_test
  SOURCES preflight_test.cc ${PROJECT_SOURCE_DIR}/plugins/preflight/preflight_stage.cc
          ${PROJECT_SOURCE_DIR}/plugins/preflight/checks.cc ${PROJECT_SOURCE_DIR}/plugins/preflight/versions.cc
  LIBRARIES drydock_compose nlohmann_json::nlohmann_json)
target_include_directories(preflight_test PRIVATE ${PROJECT_SOURCE_DIR}/plugins/preflight)
