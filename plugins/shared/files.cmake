shared_library(drydock_env_file env_file.cc env_evaluate.cc env_interpolate.cc env_write.cc env_characters.cc)
shared_library(drydock_files changed_files.cc extended_attributes.cc file_store.cc file_copy.cc stage_word.cc)
find_library(NETTLE libnettle.a REQUIRED)
shared_library(drydock_digest digest.cc)
target_link_libraries(drydock_digest PUBLIC ${NETTLE})

