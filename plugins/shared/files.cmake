shared_library(drydock_env_file env_file.cc env_evaluate.cc env_interpolate.cc env_write.cc env_characters.cc)
shared_library(drydock_files file_store.cc file_copy.cc)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
shared_library(drydock_digest digest.cc)
target_link_libraries(drydock_digest PRIVATE OpenSSL::Crypto)

