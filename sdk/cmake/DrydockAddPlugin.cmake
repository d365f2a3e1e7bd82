# drydock_add_plugin(NAME SOURCES file... [LIBRARIES target...])
#
# Builds the stage plugin NAME.so: position-independent, with nothing but drydock_plugin_v1 exported,
# and with every symbol resolved at link time, so that a missing library is an error here and not
# at the customer's. The target is called NAME with '-' replaced by '_', and a suffix _stage.
function(drydock_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 plugin "" "" "SOURCES;LIBRARIES")
  if(NOT plugin_SOURCES)
    message(FATAL_ERROR "drydock_add_plugin(${name}): SOURCES is missing")
  endif()
  string(REPLACE "-" "_" target "${name}_stage")
  add_library(${target} MODULE ${plugin_SOURCES})
  target_link_libraries(${target} PRIVATE drydock::sdk ${plugin_LIBRARIES})
  target_compile_features(${target} PRIVATE cxx_std_17)
  set_target_properties(${target} PROPERTIES
    PREFIX "" OUTPUT_NAME "${name}" SUFFIX ".so"
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  if(NOT DRYDOCK_SANITIZE)
    target_link_options(${target} PRIVATE LINKER:-z,defs LINKER:--gc-sections LINKER:--as-needed
      -static-libstdc++ -static-libgcc LINKER:--exclude-libs,ALL)
  endif()
endfunction()
