#include "stage_options.h"

#include <algorithm>
#include <limits>
#include <set>

#include "abi_struct.h"

namespace drydock {
namespace {

using nlohmann::json;

std::string unescape(std::string token) {
  for (std::size_t at = 0; (at = token.find('~', at)) != std::string::npos; ++at) {
    if (at + 1 < token.size() && (token[at + 1] == '0' || token[at + 1] == '1')) {
      token.replace(at, 2, token[at + 1] == '0' ? "~" : "/");
    }
  }
  return token;
}

drydock_bytes bytes(const std::string& text) { return {text.data(), text.size()}; }

}  // namespace

const json* StageOptions::find(const std::string& pointer) const {
  const json* at = &options_;
  for (std::size_t begin = 0; begin < pointer.size();) {
    if (pointer[begin] != '/') return nullptr;
    const std::size_t end = std::min(pointer.find('/', begin + 1), pointer.size());
    const std::string token = unescape(pointer.substr(begin + 1, end - begin - 1));
    if (at->is_object()) {
      const auto found = at->find(token);
      if (found == at->end()) return nullptr;
      at = &*found;
    } else if (at->is_array()) {
      const bool digits = !token.empty() && token.size() < 10 &&
                          token.find_first_not_of("0123456789") == std::string::npos &&
                          (token == "0" || token[0] != '0');
      const std::size_t index = digits ? std::stoul(token) : at->size();
      if (index >= at->size()) return nullptr;
      at = &(*at)[index];
    } else {
      return nullptr;
    }
    begin = end;
  }
  return at;
}

const std::vector<std::string>& StageOptions::members(const std::string& pointer) {
  const std::lock_guard lock(mutex_);
  const auto known = members_.find(pointer);
  if (known != members_.end()) return known->second;
  std::set<std::string> names;
  const json* at = find(pointer);
  if (at != nullptr && at->is_object()) {
    for (const auto& [key, value] : at->items()) names.insert(key);
  }
  if (at == nullptr || !at->is_array()) {
    const std::string below = pointer + "/";
    for (auto each = secrets_.lower_bound(below); each != secrets_.end(); ++each) {
      if (each->first.compare(0, below.size(), below) != 0) break;
      const std::string rest = each->first.substr(below.size());
      names.insert(unescape(rest.substr(0, rest.find('/'))));
    }
  }
  return members_[pointer] = std::vector<std::string>(names.begin(), names.end());
}

drydock_status StageOptions::value(const std::string& pointer, drydock_value& out) {
  drydock_value result{};
  const json* at = find(pointer);
  if (secrets_.count(pointer) != 0) {
    result.type = DRYDOCK_SECRET;
  } else if (at == nullptr || at->is_object()) {
    result.size = members(pointer).size();
    if (at == nullptr && result.size == 0) return DRYDOCK_NOT_FOUND;
    result.type = DRYDOCK_OBJECT;
  } else if (at->is_null()) {
    result.type = DRYDOCK_NULL;
  } else if (at->is_boolean()) {
    result.type = DRYDOCK_BOOLEAN;
    result.boolean = at->get<bool>() ? 1 : 0;
    result.integer = result.boolean;
  } else if (at->is_number_unsigned() &&
             at->get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max()) {
    result.type = DRYDOCK_NUMBER;
  } else if (at->is_number_integer()) {
    result.type = DRYDOCK_INTEGER;
    result.integer = at->get<std::int64_t>();
  } else if (at->is_number()) {
    result.type = DRYDOCK_NUMBER;
  } else if (at->is_array()) {
    result.type = DRYDOCK_ARRAY;
    result.size = at->size();
  } else {
    result.type = DRYDOCK_STRING;
    result.text = bytes(at->get_ref<const std::string&>());
  }
  if (result.type == DRYDOCK_NUMBER || result.type == DRYDOCK_INTEGER) {
    const std::lock_guard lock(mutex_);
    result.number = at->get<double>();
    result.text = bytes(numbers_.try_emplace(pointer, at->dump()).first->second);
  }
  hand_over(result, &out);
  return DRYDOCK_OK;
}

drydock_status StageOptions::key(const std::string& pointer, std::size_t index,
                                 drydock_bytes& out) {
  const std::vector<std::string>& names = members(pointer);
  if (index >= names.size()) return DRYDOCK_NOT_FOUND;
  out = bytes(names[index]);
  return DRYDOCK_OK;
}

drydock_status StageOptions::secret(const std::string& pointer, drydock_bytes& out) const {
  const auto found = secrets_.find(pointer);
  if (found == secrets_.end()) return DRYDOCK_NOT_FOUND;
  out = bytes(found->second);
  return DRYDOCK_OK;
}

}  // namespace drydock
