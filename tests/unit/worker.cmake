# The process boundary: wire, worker, processes, the index of plugins. With real plugins and workers.
drydock_add_plugin(worker-sample SOURCES worker_plugin.cc)
target_link_libraries(worker_sample_stage PRIVATE drydock_warnings)
set_target_properties(worker_sample_stage PROPERTIES
  LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/worker)

drydock_test(worker_test
  SOURCES
    cancellation_test.cc
    capture_command_test.cc
    next_worker_test.cc
    plugin_index_test.cc
    plugin_note_test.cc
    process_test.cc
    process_worker_test.cc
    rollback_plugin_test.cc
    step_rules_test.cc
    wire_test.cc
  LIBRARIES drydock_core)
add_dependencies(worker_test drydock-stage worker_sample_stage)
target_compile_definitions(worker_test PRIVATE
  DRYDOCK_STAGE="$<TARGET_FILE:drydock-stage>"
  SAMPLE_PLUGIN="$<TARGET_FILE:worker_sample_stage>")
