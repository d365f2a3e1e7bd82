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
  ${PROJECT_SOURCE_DIR}/plugins/compose-up/up_way_back.cc)
add_library(compose_stages STATIC ${compose_stages})
target_link_libraries(compose_stages
  PUBLIC drydock_compose drydock_pull drydock_files PRIVATE drydock_warnings)
target_include_directories(compose_stages PUBLIC
  ${PROJECT_SOURCE_DIR}/plugins/compose-stop ${PROJECT_SOURCE_DIR}/plugins/compose-up)

# engine_test(NAME PROGRAM LABELS FILTER): cases of a program on an engine that the test starts.
function(engine_test name program labels filter)
  add_test(NAME ${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/on-engine.sh
    $<TARGET_FILE:${program}> --gtest_filter=${filter})
  set_tests_properties(${name} PROPERTIES LABELS "${labels}" SKIP_RETURN_CODE 77 TIMEOUT 600)
endfunction()
foreach(program compose_engine_test compose_up_engine_test pull_engine_test)
  add_executable(${program} ${program}.cc)
  target_link_libraries(${program} PRIVATE
    drydock_warnings compose_stages drydock_digest GTest::gtest_main)
  set_target_properties(${program} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
endforeach()
engine_test(compose_engine compose_engine_test engine *)
target_sources(compose_up_engine_test PRIVATE compose_up_sick_engine_test.cc)
engine_test(compose_up_engine compose_up_engine_test engine ComposeUpEngine.*)
engine_test(compose_up_engine_long compose_up_engine_test "engine;long" ComposeUpEngineLong.*)
engine_test(pull_engine pull_engine_test engine *)

drydock_test(compose_decisions_test SOURCES compose_decisions_test.cc LIBRARIES compose_stages)
drydock_test(compose_command_test SOURCES compose_command_test.cc LIBRARIES compose_stages)
drydock_test(compose_up_decisions_test
  SOURCES compose_up_decisions_test.cc LIBRARIES compose_stages rapidcheck)
drydock_test(compose_patience_test SOURCES compose_patience_test.cc LIBRARIES compose_stages)
drydock_test(compose_settle_test SOURCES compose_settle_test.cc LIBRARIES compose_stages)
drydock_test(compose_stops_test SOURCES compose_stops_test.cc LIBRARIES compose_stages)
drydock_test(compose_stop_test SOURCES compose_stop_test.cc LIBRARIES compose_stages)
drydock_test(pull_test SOURCES pull_test.cc LIBRARIES compose_stages)
drydock_test(pull_return_test SOURCES pull_return_test.cc LIBRARIES compose_stages)
find_package(rapidcheck REQUIRED)
drydock_test(pull_choice_test SOURCES pull_choice_test.cc LIBRARIES drydock_pull rapidcheck)
set(preflight_files)
foreach(name checks databases images needs path ports preflight_stage space versions world)
  list(APPEND preflight_files ${PROJECT_SOURCE_DIR}/plugins/preflight/${name}.cc)
endforeach()
add_library(preflight_stages STATIC ${preflight_files})
target_link_libraries(preflight_stages PUBLIC drydock_compose drydock_postgres_container nlohmann_json::nlohmann_json
  PRIVATE drydock_warnings)
target_include_directories(preflight_stages PUBLIC ${PROJECT_SOURCE_DIR}/plugins/preflight)
drydock_test(preflight_test SOURCES preflight_test.cc LIBRARIES preflight_stages)
drydock_test(preflight_stage_test SOURCES preflight_stage_test.cc LIBRARIES preflight_stages)

# Dify's own compose files, where they are.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
foreach(plans dify_plans dify_plans_all)
  set(of_all)
  if(plans STREQUAL dify_plans_all)
    set(of_all --all)
  endif()
  add_test(NAME ${plans}
    COMMAND Python3::Interpreter -B ${CMAKE_CURRENT_SOURCE_DIR}/dify_plans.py $<TARGET_FILE:drydock>
      ${PROJECT_SOURCE_DIR}/../shared/data ${of_all})
  set_tests_properties(${plans} PROPERTIES LABELS engine SKIP_RETURN_CODE 77 TIMEOUT 600)
endforeach()
set_tests_properties(dify_plans_all PROPERTIES LABELS "engine;long")
