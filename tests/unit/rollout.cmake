# Rollouts: what a file declares, which environments are in which wave, and when each may start.
find_package(rapidcheck REQUIRED)
drydock_test(rollout_test
  SOURCES
    child_pool_test.cc
    rollout_commands_test.cc
    rollout_inventory_test.cc
    rollout_progress_test.cc
    rollout_promotion_test.cc
    rollout_run_log_test.cc
    rollout_test.cc
    rollout_waves_test.cc
    sent_pipeline_test.cc
  LIBRARIES drydock_core)
set_target_properties(rollout_test PROPERTIES UNITY_BUILD OFF)
drydock_test(rollout_host_test
  SOURCES rollout_host_test.cc rollout_host_report_test.cc
  LIBRARIES drydock_core rapidcheck)
drydock_test(rollout_schedule_test
  SOURCES rollout_schedule_test.cc rollout_schedule_rules_test.cc
  LIBRARIES drydock_core rapidcheck)
drydock_test(rollout_store_test WHOLE
  SOURCES rollout_store_test.cc
  LIBRARIES drydock_core)
