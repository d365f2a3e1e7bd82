# Pipelines, expressions, options and secrets: what is read before anything runs.
find_package(rapidcheck REQUIRED)
drydock_test(frontend_test
  SOURCES
    expression_test.cc
    options_test.cc
    pipeline_check_test.cc
    pipeline_test.cc
    schema_test.cc
    secrets_test.cc
    text_test.cc
    variables_test.cc
    version_range_test.cc
    yaml_tree_test.cc
  LIBRARIES drydock_core rapidcheck)
# Each of its files has a refusal() and a sample() of its own.
set_target_properties(frontend_test PROPERTIES UNITY_BUILD OFF)
