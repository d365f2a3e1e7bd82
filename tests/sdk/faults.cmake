# Plugins with one fault each, and what `drydock plugin check` says of them: faults/FAULT.cc begins with
# both. The same sources say it to whoever reads them.
if(DRYDOCK_SANITIZE)
  return()  # a sanitizer exports symbols of its own
endif()
file(GLOB faults CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/faults/*.cc)
set(faults_dir ${CMAKE_BINARY_DIR}/tests/faults)
foreach(source IN LISTS faults)
  cmake_path(GET source STEM fault)
  string(REPLACE "_" "-" name fault-${fault})
  drydock_add_plugin(${name} SOURCES ${source})
  string(REPLACE "-" "_" target "${name}_stage")
  target_link_libraries(${target} PRIVATE drydock_warnings)
  target_compile_options(${target} PRIVATE -O0)  # there are many, and none needs to be fast
  set_target_properties(${target} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${faults_dir})
  add_test(NAME sdk.fault.${fault}
    COMMAND Python3::Interpreter -B ${CMAKE_CURRENT_SOURCE_DIR}/faults.py --bin $<TARGET_FILE:drydock>
      --plugin $<TARGET_FILE:${target}> --source ${source})
  set_tests_properties(sdk.fault.${fault} PROPERTIES TIMEOUT 120)
endforeach()
target_link_options(fault_undefined_symbol_stage PRIVATE LINKER:-z,undefs)
# What somebody builds who does without drydock_add_plugin().
get_target_property(options fault_exports_more_stage LINK_OPTIONS)
list(FILTER options EXCLUDE REGEX "version-script")
set_target_properties(fault_exports_more_stage PROPERTIES LINK_OPTIONS "${options}")
# A hang is given its time before it is one.
set_tests_properties(sdk.fault.hang_in_plan sdk.fault.ignores_cancel_later PROPERTIES LABELS long)

