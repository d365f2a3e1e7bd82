# Checking, packing, installing and finding plugins, with the real binary in a prefix of its own.
if(NOT DRYDOCK_SANITIZE)
  drydock_add_plugin(waiting waiting.cc)
  set_target_properties(waiting_stage PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/faults)
  foreach(file archives check search_path)
    add_test(NAME sdk.${file} COMMAND Python3::Interpreter -B ${CMAKE_CURRENT_SOURCE_DIR}/${file}.py)
    set_tests_properties(sdk.${file} PROPERTIES TIMEOUT 300
      ENVIRONMENT "DRYDOCK=$<TARGET_FILE:drydock>;DRYDOCK_STAGE=$<TARGET_FILE:drydock-stage>;GOOD_PLUGIN=${CMAKE_BINARY_DIR}/tests/faults/fault-good.so")
  endforeach()
endif()
