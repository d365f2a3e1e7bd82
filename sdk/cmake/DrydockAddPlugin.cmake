# What a project of stage plugins needs. Each function may be used alone; the tests are known to ctest after
# enable_testing(). With DRYDOCK_SANITIZE a plugin may have sanitizers, whose symbols are resolved when it is loaded.

# drydock_add_plugin(NAME sources... [SOURCES file...] [LIBRARIES target...] [CHECK argument...])
#
# Builds the stage plugin NAME.so: position-independent, with nothing but drydock_plugin_v1 exported,
# and with every symbol resolved at link time, so that a missing library is an error here and not
# at the customer's. libstdc++ is linked in: some distributions have it as a package of its own. The target is called NAME with '-' replaced by '_', and a suffix _stage.
#
# Where a drydock is installed, the test NAME.check is `drydock plugin check NAME.so`, with the arguments
# after CHECK: --with FILE and -C FOLDER, by which run works, or --without-run.
function(drydock_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 plugin "" "" "SOURCES;LIBRARIES;CHECK")
  list(APPEND plugin_SOURCES ${plugin_UNPARSED_ARGUMENTS})
  if(NOT plugin_SOURCES)
    message(FATAL_ERROR "drydock_add_plugin(${name}): names no source file")
  endif()
  string(REPLACE "-" "_" target "${name}_stage")
  add_library(${target} MODULE ${plugin_SOURCES})
  target_link_libraries(${target} PRIVATE drydock::sdk ${plugin_LIBRARIES})
  set(map ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/drydock-plugin.map)
  set_target_properties(${target} PROPERTIES
    PREFIX "" OUTPUT_NAME "${name}" SUFFIX ".so" POSITION_INDEPENDENT_CODE ON LINK_DEPENDS ${map}
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  if(NOT DRYDOCK_SANITIZE)
    # An older compiler knows no `retain`: the linker would drop the note with what nothing refers to.
    set(without_unused LINKER:--gc-sections)
    foreach(language C CXX)
      set(version "${CMAKE_${language}_COMPILER_VERSION}")
      if((CMAKE_${language}_COMPILER_ID STREQUAL "GNU" AND version VERSION_LESS 11) OR
         (CMAKE_${language}_COMPILER_ID STREQUAL "Clang" AND version VERSION_LESS 13))
        set(without_unused "")
      endif()
    endforeach()
    target_link_options(${target} PRIVATE LINKER:-z,defs ${without_unused} LINKER:--as-needed
      LINKER:--exclude-libs,ALL LINKER:--version-script=${map} -static-libgcc
      $<$<LINK_LANGUAGE:CXX>:-static-libstdc++>)
  endif()
  if(DRYDOCK_EXECUTABLE)
    add_test(NAME ${name}.check
      COMMAND ${DRYDOCK_EXECUTABLE} plugin check $<TARGET_FILE:${target}> ${plugin_CHECK})
  endif()
endfunction()

# drydock_add_unit_test(NAME sources... [LIBRARIES target...])
#
# The test NAME.unit: a program that exits with 0 when all is well. <drydock/testing.hpp> is the fake host for it.
function(drydock_add_unit_test name)
  cmake_parse_arguments(PARSE_ARGV 1 test "" "" "LIBRARIES")
  find_package(Threads REQUIRED)
  string(REPLACE "-" "_" target "${name}_unit_test")
  add_executable(${target} ${test_UNPARSED_ARGUMENTS})
  target_link_libraries(${target} PRIVATE drydock::sdk Threads::Threads ${test_LIBRARIES})
  add_test(NAME ${name}.unit COMMAND ${target})
endfunction()

# drydock_add_scenario(NAME FOLDER)
#
# The test NAME.FOLDER: the installed drydock runs FOLDER/drydock.yaml with the plugin NAME on a copy of
# FOLDER/before. Afterwards the copy must be equal to FOLDER/after, and after a rollback to FOLDER/before (or to
# FOLDER/rolled-back, where something stays on purpose).
function(drydock_add_scenario name folder)
  if(NOT DRYDOCK_EXECUTABLE)
    return()
  endif()
  string(REPLACE "-" "_" target "${name}_stage")
  get_filename_component(scenario ${folder} NAME)
  add_test(NAME ${name}.${scenario}
    COMMAND ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/run-scenario.sh ${DRYDOCK_EXECUTABLE} $<TARGET_FILE_DIR:${target}>
      ${CMAKE_CURRENT_SOURCE_DIR}/${folder})
endfunction()
