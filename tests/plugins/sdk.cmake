drydock_test(testing_test SOURCES testing_test.cc)

# stage.h as C99, stage.hpp and testing.hpp as C++17 and C++20: a warning in a public header is an error.
add_library(c_stage OBJECT c_stage.c)
target_link_libraries(c_stage PRIVATE drydock::sdk)
target_compile_options(c_stage PRIVATE -Wall -Wextra -Wpedantic -Werror)
set_target_properties(c_stage PROPERTIES C_STANDARD 99 C_EXTENSIONS OFF)
foreach(standard 17 20)
  drydock_test(headers_${standard}_test SOURCES headers_test.cc LIBRARIES c_stage)
  target_compile_options(headers_${standard}_test PRIVATE -Werror)
  set_target_properties(headers_${standard}_test PROPERTIES CXX_STANDARD ${standard})
endforeach()
