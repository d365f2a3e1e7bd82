# A plugin that uses all of stage.h, in this host and in one whose structs have grown.
set(promise_dir ${CMAKE_BINARY_DIR}/tests/sdk/promise)
drydock_add_plugin(promise promise/promise.c)
target_compile_options(promise_stage PRIVATE -Wall -Wextra -Wpedantic -Werror)
set_target_properties(promise_stage PROPERTIES C_STANDARD 99 C_EXTENSIONS OFF LIBRARY_OUTPUT_DIRECTORY ${promise_dir})

# The worker of a later minor version, beside a copy of this drydock.
find_package(Boost 1.74 REQUIRED)
find_package(Threads REQUIRED)
set(grown ${CMAKE_BINARY_DIR}/tests/sdk/grown)
add_custom_command(OUTPUT ${grown}/include/drydock/stage.h
  COMMAND Python3::Interpreter -B ${CMAKE_CURRENT_SOURCE_DIR}/grown_header.py ${grown}/include/drydock/stage.h
  DEPENDS grown_header.py stage_header.py ${PROJECT_SOURCE_DIR}/sdk/include/drydock/stage.h)
get_target_property(worker_sources drydock-stage SOURCES)
list(TRANSFORM worker_sources PREPEND ${PROJECT_SOURCE_DIR}/core/)
add_executable(grown_worker ${worker_sources} ${grown}/include/drydock/stage.h)
target_include_directories(grown_worker BEFORE PRIVATE ${grown}/include ${PROJECT_SOURCE_DIR}/core)
target_link_libraries(grown_worker PRIVATE drydock_boundary Boost::headers ${CMAKE_DL_LIBS} Threads::Threads)
target_compile_options(grown_worker PRIVATE -O0)
set_target_properties(grown_worker PROPERTIES OUTPUT_NAME drydock-stage RUNTIME_OUTPUT_DIRECTORY ${grown}/bin)
add_custom_command(TARGET grown_worker POST_BUILD
  COMMAND ${CMAKE_COMMAND} -E create_symlink ${CMAKE_BINARY_DIR}/lib ${grown}/lib
  COMMAND ${CMAKE_COMMAND} -E copy $<TARGET_FILE:drydock> ${grown}/bin/drydock)
add_dependencies(grown_worker drydock)

set(run_scenario ${PROJECT_SOURCE_DIR}/sdk/cmake/run-scenario.sh)
set(promise_scenario ${CMAKE_CURRENT_SOURCE_DIR}/promise/scenario)
add_test(NAME sdk.promise COMMAND ${run_scenario} $<TARGET_FILE:drydock> ${promise_dir} ${promise_scenario})
add_test(NAME sdk.promise.grown-host COMMAND ${run_scenario} ${grown}/bin/drydock ${promise_dir} ${promise_scenario})
# What an author has set up for himself is not what is tested.
set_tests_properties(sdk.promise PROPERTIES ENVIRONMENT "DRYDOCK_PLUGIN_PATH=/nothing")

# The one that was built when 1.0 was declared.
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  set(kept ${CMAKE_CURRENT_SOURCE_DIR}/promise/1.0)
  add_test(NAME sdk.promise.1.0 COMMAND ${run_scenario} $<TARGET_FILE:drydock> ${kept} ${promise_scenario})
  add_test(NAME sdk.promise.1.0.grown-host COMMAND ${run_scenario} ${grown}/bin/drydock ${kept} ${promise_scenario})
endif()
