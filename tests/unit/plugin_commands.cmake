# What `drydock plugin` works with: archives, exported symbols, odd options.
drydock_test(plugin_commands_test SOURCES plugin_commands_test.cc
  LIBRARIES drydock_plugin_commands rapidcheck)
add_dependencies(plugin_commands_test worker_sample_stage)
target_compile_definitions(plugin_commands_test PRIVATE
  DRYDOCK_STAGE="$<TARGET_FILE:drydock-stage>"
  SAMPLE_PLUGIN="$<TARGET_FILE:worker_sample_stage>")
