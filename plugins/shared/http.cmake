# What the stages that speak HTTP share.
find_package(CURL REQUIRED)
shared_library(drydock_http http_request.cc http_url.cc)
target_link_libraries(drydock_http PUBLIC drydock::sdk PRIVATE CURL::libcurl)
