# find_package(drydock) gives the target drydock::sdk and the function drydock_add_plugin().
include(${CMAKE_CURRENT_LIST_DIR}/drydock-targets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/DrydockAddPlugin.cmake)
