# What speaks HTTP, against a server on the loopback.
find_package(nlohmann_json REQUIRED)
drydock_test(http_url_test SOURCES http_url_test.cc LIBRARIES drydock_http)
drydock_test(http_check_test
  SOURCES http_check_test.cc ${PROJECT_SOURCE_DIR}/plugins/http-check/http_check_stage.cc
          ${PROJECT_SOURCE_DIR}/plugins/http-check/expectation.cc
  LIBRARIES drydock_http nlohmann_json::nlohmann_json)
target_include_directories(http_check_test PRIVATE ${PROJECT_SOURCE_DIR}/plugins/http-check)
drydock_test(http_probe_test
  SOURCES http_probe_test.cc ${PROJECT_SOURCE_DIR}/plugins/http-check/http_probe_stage.cc
          ${PROJECT_SOURCE_DIR}/plugins/http-check/expectation.cc
  LIBRARIES drydock_http nlohmann_json::nlohmann_json)
target_include_directories(http_probe_test PRIVATE ${PROJECT_SOURCE_DIR}/plugins/http-check)
drydock_test(notify_test
  SOURCES notify_test.cc ${PROJECT_SOURCE_DIR}/plugins/notify/notify_stage.cc
  LIBRARIES drydock_http nlohmann_json::nlohmann_json)
target_include_directories(notify_test PRIVATE ${PROJECT_SOURCE_DIR}/plugins/notify)
