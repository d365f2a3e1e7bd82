// drydock/testing_option.hpp: option values for the fake host of testing.hpp, which includes this.
#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "drydock/stage.h"

namespace drydock::testing {

// An option's value; made from what one would write.
class Option {
 public:
  Option() = default;
  Option(std::nullptr_t) {}
  Option(bool value) : type_(DRYDOCK_BOOLEAN), integer_(value ? 1 : 0) {}
  template <class Integer, class = std::enable_if_t<std::is_integral_v<Integer>>>
  Option(Integer value)
      : type_(DRYDOCK_INTEGER),
        integer_(static_cast<std::int64_t>(value)),
        text_(std::to_string(integer_)) {}
  Option(double value) : type_(DRYDOCK_NUMBER), number_(value), text_(as_json(value)) {}
  Option(const char* value) : type_(DRYDOCK_STRING), text_(value) {}
  Option(std::string value) : type_(DRYDOCK_STRING), text_(std::move(value)) {}
  Option(std::chrono::milliseconds value) : Option(value.count()) {}
  Option(const std::vector<std::string>& values) : type_(DRYDOCK_ARRAY) {
    for (const std::string& value : values) members_.emplace_back(value);
  }
  static Option array() { return of(DRYDOCK_ARRAY); }
  static Option object() { return of(DRYDOCK_OBJECT); }
  static Option secret() { return of(DRYDOCK_SECRET); }

  // The value at a JSON Pointer; nullptr when there is none.
  const Option* find(std::string_view pointer) const {
    const Option* at = this;
    for (const std::string& token : tokens(pointer)) {
      const std::size_t index = at->index_of(token);
      if (index == at->members_.size()) return nullptr;
      at = &at->members_[index];
    }
    return at;
  }
  // Makes the arrays and objects on the way: "/a/0" an array, "/a/b" an object.
  void set(std::string_view pointer, Option value) {
    Option* at = this;
    for (const std::string& token : tokens(pointer)) at = &at->member(token);
    *at = std::move(value);
  }
  const std::string* key_at(std::size_t index) const {
    return type_ == DRYDOCK_OBJECT && index < keys_.size() ? &keys_[index] : nullptr;
  }
  drydock_type type() const { return type_; }
  // The text borrows from this.
  drydock_value raw() const {
    drydock_value result{};
    result.struct_size = sizeof result;
    result.type = type_;
    result.boolean = type_ == DRYDOCK_BOOLEAN && integer_ != 0 ? 1 : 0;
    result.integer = integer_;
    result.number = type_ == DRYDOCK_INTEGER ? static_cast<double>(integer_) : number_;
    result.text = {text_.data(), text_.size()};
    result.size = members_.size();
    return result;
  }

 private:
  static std::string as_json(double value) {
    char digits[64];
    std::string text(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
    return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
  }
  static Option of(drydock_type type) {
    Option made;
    made.type_ = type;
    return made;
  }
  static std::vector<std::string> tokens(std::string_view pointer) {
    std::vector<std::string> result;
    if (!pointer.empty() && pointer[0] != '/') {
      throw std::invalid_argument("a JSON Pointer begins with '/': " + std::string(pointer));
    }
    for (std::size_t i = 0; i < pointer.size(); ++i) {
      if (pointer[i] == '/') {
        result.emplace_back();
      } else if (pointer[i] == '~' && i + 1 < pointer.size()) {
        result.back() += pointer[++i] == '0' ? '~' : '/';
      } else {
        result.back() += pointer[i];
      }
    }
    return result;
  }
  static bool is_index(const std::string& token) {
    return !token.empty() && token.find_first_not_of("0123456789") == std::string::npos;
  }
  // Its place in members_; members_.size() when there is none.
  std::size_t index_of(const std::string& token) const {
    if (type_ == DRYDOCK_ARRAY && is_index(token)) {
      return std::min(members_.size(), static_cast<std::size_t>(std::stoull(token)));
    }
    if (type_ != DRYDOCK_OBJECT) return members_.size();
    return static_cast<std::size_t>(
        std::distance(keys_.begin(), std::find(keys_.begin(), keys_.end(), token)));
  }
  Option& member(const std::string& token) {
    if (type_ != DRYDOCK_ARRAY && type_ != DRYDOCK_OBJECT) {
      *this = is_index(token) ? array() : object();
    }
    const std::size_t index = index_of(token);
    if (index < members_.size()) return members_[index];
    if (type_ == DRYDOCK_OBJECT) {
      keys_.push_back(token);
    } else if (token != std::to_string(index)) {
      throw std::invalid_argument("the next member of this array is " + std::to_string(index) +
                                  ", not " + token);
    }
    return members_.emplace_back();
  }

  drydock_type type_ = DRYDOCK_NULL;
  std::int64_t integer_ = 0;
  double number_ = 0;
  std::string text_;
  std::vector<std::string> keys_;  // of an object; as long as members_
  std::vector<Option> members_;
};

}  // namespace drydock::testing
