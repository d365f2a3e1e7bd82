# Docker Compose projects: containers, images, models, health, settling.
find_package(nlohmann_json REQUIRED)
shared_library(drydock_compose
  compose_answers.cc compose_before.cc compose_command.cc compose_engine.cc compose_facts.cc compose_health.cc compose_images.cc compose_json.cc
  compose_patience.cc compose_planned_stops.cc compose_settle.cc
  compose_settlement.cc compose_snapshot.cc compose_stops.cc compose_types.cc)
target_link_libraries(drydock_compose
  PUBLIC drydock::sdk PRIVATE drydock_files nlohmann_json::nlohmann_json)
