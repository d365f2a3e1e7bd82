set(source_dir ${PROJECT_SOURCE_DIR}/plugins/source)
drydock_test(source_test
  SOURCES source_test.cc ${source_dir}/source_stage.cc ${source_dir}/release_tree.cc
          ${source_dir}/switch_files.cc
  LIBRARIES drydock_files drydock_digest)
target_include_directories(source_test PRIVATE ${source_dir})
