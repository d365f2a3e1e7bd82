drydock_test(journal_test
  SOURCES journal_test.cc journal_damage_test.cc journal_upgrade_test.cc prune_test.cc
  LIBRARIES drydock_core)
drydock_test(compose_project_test SOURCES compose_project_test.cc LIBRARIES drydock_core)
drydock_test(rollback_test SOURCES rollback_test.cc LIBRARIES drydock_core)
drydock_test(consent_test SOURCES consent_test.cc LIBRARIES drydock_core)
drydock_test(state_dir_test SOURCES state_dir_test.cc snapshot_test.cc LIBRARIES drydock_core)
drydock_test(downtime_test SOURCES downtime_test.cc LIBRARIES drydock_core)
