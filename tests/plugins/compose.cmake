# The stages of Compose projects. What runs on a real engine is one test that starts the engine for
# itself; the others script what docker answers.
set(compose_stages
  ${PROJECT_SOURCE_DIR}/plugins/compose-stop/compose_stop_stage.cc
  ${PROJECT_SOURCE_DIR}/plugins/compose-up/compose_up_stage.cc
  ${PROJECT_SOURCE_DIR}/plugins/compose-up/up_decisions.cc)
add_library(compose_stages STATIC ${compose_stages})
target_link_libraries(compose_stages PUBLIC drydock_compose drydock_pull PRIVATE drydock_warnings)
target_include_directories(compose_stages PUBLIC
  ${PROJECT_SOURCE_DIR}/plugins/compose-stop ${PROJECT_SOURCE_DIR}/plugins/compose-up)

foreach(subject compose pull)
  add_executable(${subject}_engine_test ${subject}_engine_test.cc)
  target_link_libraries(${subject}_engine_test PRIVATE
    drydock_warnings compose_stages drydock_digest GTest::gtest_main)
  set_target_properties(${subject}_engine_test PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${subject}_engine
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/on-engine.sh $<TARGET_FILE:${subject}_engine_test>)
  set_tests_properties(${subject}_engine PROPERTIES LABELS engine SKIP_RETURN_CODE 77 TIMEOUT 600)
endforeach()

drydock_test(compose_decisions_test SOURCES compose_decisions_test.cc LIBRARIES compose_stages)
drydock_test(compose_patience_test SOURCES compose_patience_test.cc LIBRARIES compose_stages)
drydock_test(compose_stops_test SOURCES compose_stops_test.cc LIBRARIES compose_stages)
drydock_test(pull_test SOURCES pull_test.cc LIBRARIES compose_stages)
find_package(rapidcheck REQUIRED)
drydock_test(pull_choice_test SOURCES pull_choice_test.cc LIBRARIES drydock_pull rapidcheck)
drydock_test(preflight_test
  SOURCES preflight_test.cc ${PROJECT_SOURCE_DIR}/plugins/preflight/preflight_stage.cc
          ${PROJECT_SOURCE_DIR}/plugins/preflight/checks.cc ${PROJECT_SOURCE_DIR}/plugins/preflight/versions.cc
  LIBRARIES drydock_compose nlohmann_json::nlohmann_json)
target_include_directories(preflight_test PRIVATE ${PROJECT_SOURCE_DIR}/plugins/preflight)
