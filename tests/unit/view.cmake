drydock_test(events_test SOURCES events_test.cc LIBRARIES drydock_core)
drydock_test(log_test SOURCES log_test.cc LIBRARIES drydock_core)
drydock_test(view_test
  SOURCES view_closing_test.cc view_plain_test.cc view_plan_test.cc view_terminal_test.cc
  LIBRARIES drydock_core)
