// What the name of a variable tells: that its value is secret, that it must not change by itself.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace drydock::env_sync {

// * and ? as in the shell.
bool matches_any(const std::vector<std::string>& globs, std::string_view name);

// Secret by name, or by what it looks like: a URL with a password, a long random text.
bool is_secret_name(std::string_view name);
bool is_secret_value(std::string_view value);
bool is_secret(std::string_view name, std::string_view value);

// The value as a person may see it.
std::string shown(std::string_view name, std::string_view value);

// The name says that the value is a host, or something with a host in it.
bool names_a_host(std::string_view name);

// The value may be an image or its tag.
bool names_an_image(std::string_view name);

}  // namespace drydock::env_sync
