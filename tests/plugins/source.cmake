set(source_dir ${PROJECT_SOURCE_DIR}/plugins/source)
set(source_files)
foreach(name archive checkout checkout_steps folder_steps git git_base git_changes git_files git_switch git_upgrade
    origin plan_report release_tag release_tree source_stage switch_files)
  list(APPEND source_files ${source_dir}/${name}.cc)
endforeach()
add_library(source_stages STATIC ${source_files})
target_link_libraries(source_stages PUBLIC drydock_files drydock_digest drydock::sdk
  PRIVATE drydock_warnings)
target_include_directories(source_stages PUBLIC ${source_dir})
drydock_test(source_test SOURCES source_test.cc LIBRARIES source_stages)
drydock_test(source_git_test SOURCES source_git_test.cc LIBRARIES source_stages)
drydock_test(source_archive_test SOURCES source_archive_test.cc LIBRARIES source_stages)
