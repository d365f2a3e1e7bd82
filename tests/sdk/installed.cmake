# What is built from the installed SDK: an installation in the build directory, which the others use.
set(sdk_prefix ${CMAKE_BINARY_DIR}/tests/sdk/prefix)
add_test(NAME sdk.install COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/install.sh ${CMAKE_BINARY_DIR} ${sdk_prefix})
set_tests_properties(sdk.install PROPERTIES FIXTURES_SETUP sdk_prefix)

# NAME COMMAND...: a test that needs the installation.
function(installed_sdk_test name)
  add_test(NAME sdk.${name} COMMAND ${ARGN})
  set_tests_properties(sdk.${name} PROPERTIES FIXTURES_REQUIRED sdk_prefix SKIP_RETURN_CODE 77 TIMEOUT 900
    LABELS no-asan COST 50)
endfunction()

foreach(compiler g++ clang++)
  foreach(standard 17 20)
    installed_sdk_test(examples.${compiler}.${standard} ${CMAKE_CURRENT_SOURCE_DIR}/examples.sh ${sdk_prefix}
      ${CMAKE_BINARY_DIR}/tests/sdk/examples-${compiler}-${standard} ${compiler} ${standard})
  endforeach()
endforeach()
installed_sdk_test(versions ${CMAKE_CURRENT_SOURCE_DIR}/versions.sh ${sdk_prefix}
  ${CMAKE_BINARY_DIR}/tests/sdk/versions)
installed_sdk_test(pkg-config ${CMAKE_CURRENT_SOURCE_DIR}/pkg-config.sh ${sdk_prefix}
  ${CMAKE_BINARY_DIR}/tests/sdk/pkg-config)

# Each compiler and each standard every day, the other pairs among the long tests.
set_tests_properties(sdk.examples.g++.20 sdk.examples.clang++.17 PROPERTIES LABELS "no-asan;long")
set_tests_properties(sdk.examples.g++.17 PROPERTIES FIXTURES_SETUP sdk_examples)
installed_sdk_test(redis-run Python3::Interpreter -B ${CMAKE_CURRENT_SOURCE_DIR}/redis_run.py ${sdk_prefix}/bin/drydock
  ${CMAKE_BINARY_DIR}/tests/sdk/examples-g++-17/redis-snapshot/build)
set_tests_properties(sdk.redis-run PROPERTIES FIXTURES_REQUIRED "sdk_prefix;sdk_examples")
# The guide for authors, carried out in a root without any source.
installed_sdk_test(guide Python3::Interpreter -B ${CMAKE_CURRENT_SOURCE_DIR}/guide.py
  ${CMAKE_CURRENT_SOURCE_DIR}/clean-root.sh ${sdk_prefix} ${CMAKE_BINARY_DIR}/tests/sdk/guide)
