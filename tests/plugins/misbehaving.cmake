# Plugins that misbehave, for the scenarios. Those that fail in a step are in tests/misbehaving/ of the build;
# those that cannot even be loaded have a folder each, so that one can be used without the others.
set(misbehaving_dir ${CMAKE_BINARY_DIR}/tests/misbehaving)
function(misbehaving_plugin name source folder)
  drydock_add_plugin(${name} SOURCES ${source})
  string(REPLACE "-" "_" target "${name}_stage")
  target_link_libraries(${target} PRIVATE drydock_warnings)
  target_compile_options(${target} PRIVATE -O0)  # there are many, and none needs to be fast
  set_target_properties(${target} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${folder})
endfunction()

foreach(fault segv abort kill exit_zero loop ignore_sigterm daemon close_wire garbage oversized_frame chatty bug
              note_too_large throws witness memory_thrown memory_null memory_leaked memory_of_command)
  string(REPLACE "_" "-" name ${fault})
  misbehaving_plugin(${name} misbehaving/${fault}.cc ${misbehaving_dir})
endforeach()
foreach(fault wrong_major newer_minor undefined_symbol crash_in_constructor crash_in_entry no_export no_note)
  string(REPLACE "_" "-" name ${fault})
  misbehaving_plugin(${name} misbehaving/load/${fault}.cc ${misbehaving_dir}/load/${name})
endforeach()
target_link_options(undefined_symbol_stage PRIVATE LINKER:-z,undefs)
