#include "wire.h"

#include <array>
#include <cstring>

namespace drydock {
namespace {

constexpr std::string_view base64_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string to_base64(std::string_view bytes) {
  std::string result;
  result.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      result += i + j > bytes.size() ? '=' : base64_digits[group >> (18 - 6 * j) & 63];
    }
  }
  return result;
}

std::string from_base64(std::string_view text) {
  std::string result;
  std::uint32_t group = 0;
  int bits = 0;
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  for (char c : text) {
    const std::size_t digit = base64_digits.find(c);
    if (digit == std::string_view::npos) throw WireError("sent bytes that are no base64");
    group = group << 6 | static_cast<std::uint32_t>(digit);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      result += static_cast<char>(group >> bits & 255);
    }
  }
  return result;
}

// Valid UTF-8 (RFC 3629: no overlong forms, no surrogates) and nothing that JSON writes at length.
bool travels_as_text(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size();) {
    const auto at = [&](std::size_t j) {
      return j < bytes.size() ? static_cast<unsigned char>(bytes[j]) : 0u;
    };
    const auto continues = [&](std::size_t j) { return (at(j) & 0xc0u) == 0x80u; };
    const unsigned first = at(i);
    if (first < 0x80) {
      if (first < 0x20 && first != '\n' && first != '\t' && first != '\r') return false;
      i += 1;
    } else if (first >= 0xc2 && first <= 0xdf) {
      if (!continues(i + 1)) return false;
      i += 2;
    } else if (first >= 0xe0 && first <= 0xef) {
      if (!continues(i + 1) || !continues(i + 2)) return false;
      if (first == 0xe0 && at(i + 1) < 0xa0) return false;
      if (first == 0xed && at(i + 1) > 0x9f) return false;
      i += 3;
    } else if (first >= 0xf0 && first <= 0xf4) {
      if (!continues(i + 1) || !continues(i + 2) || !continues(i + 3)) return false;
      if (first == 0xf0 && at(i + 1) < 0x90) return false;
      if (first == 0xf4 && at(i + 1) > 0x8f) return false;
      i += 4;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

nlohmann::json to_wire(std::string_view bytes) {
  if (travels_as_text(bytes)) return bytes;
  return {{"base64", to_base64(bytes)}};
}

std::string from_wire(const nlohmann::json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_object() && value.size() == 1) {
    if (const auto found = value.find("base64"); found != value.end() && found->is_string()) {
      return from_base64(found->get_ref<const std::string&>());
    }
  }
  throw WireError("sent a value that is neither text nor base64");
}

std::optional<std::string> frame(std::string_view kind, const nlohmann::json& body) {
  std::string result(4, '\0');
  result.append("{\"").append(kind).append("\":").append(body.dump()).append("}");
  const std::size_t length = result.size() - 4;
  if (length > max_frame) return std::nullopt;
  for (unsigned i = 0; i < 4; ++i) result[i] = static_cast<char>(length >> 8 * i & 255);
  return result;
}

void FrameReader::append(const char* data, std::size_t size) {
  if (begin_ > 0) {
    buffer_.erase(0, begin_);
    begin_ = 0;
  }
  buffer_.append(data, size);
}

std::optional<Message> FrameReader::next() {
  const std::size_t there = buffer_.size() - begin_;
  if (there < 4) return std::nullopt;
  std::uint32_t length = 0;
  for (unsigned i = 0; i < 4; ++i) {
    length |= static_cast<std::uint32_t>(static_cast<unsigned char>(buffer_[begin_ + i])) << 8 * i;
  }
  if (length > max_frame) {
    throw WireError("sent a frame of " + std::to_string(length) + " bytes, and " +
                    std::to_string(max_frame) + " are allowed");
  }
  if (there - 4 < length) return std::nullopt;
  const char* begin = buffer_.data() + begin_ + 4;
  nlohmann::json message = nlohmann::json::parse(begin, begin + length, nullptr, false);
  begin_ += 4 + length;
  if (!message.is_object() || message.size() != 1) {
    throw WireError("sent a frame that is no message");
  }
  const auto member = message.begin();
  return Message{member.key(), std::move(member.value())};
}

}  // namespace drydock
