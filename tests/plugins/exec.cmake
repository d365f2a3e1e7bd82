drydock_test(exec_test
  SOURCES exec_test.cc ${PROJECT_SOURCE_DIR}/plugins/exec/exec_stage.cc)
target_include_directories(exec_test PRIVATE ${PROJECT_SOURCE_DIR}/plugins/exec)
