// The forms in which a secret turns up in what programs print.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace drydock {

// The value itself; its lines; as JSON, in a URL (several habits) and in base64 (wherever in the
// encoded text it begins, so that "user:SECRET" is found too). No two are equal.
std::vector<std::string> secret_forms(const std::string& value);

}  // namespace drydock
