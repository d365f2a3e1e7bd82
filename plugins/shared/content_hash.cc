#include "content_hash.h"

#include <openssl/evp.h>

#include <cstring>
#include <stdexcept>

namespace drydock {
namespace {

EVP_MD_CTX* libcrypto(void* context) { return static_cast<EVP_MD_CTX*>(context); }

}  // namespace

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  if (context_ == nullptr || EVP_DigestInit_ex(libcrypto(context_), EVP_sha256(), nullptr) != 1) {
    EVP_MD_CTX_free(libcrypto(context_));
    throw std::runtime_error("libcrypto offers no SHA-256");
  }
}

Sha256::~Sha256() { EVP_MD_CTX_free(libcrypto(context_)); }

void Sha256::update(std::string_view bytes) {
  EVP_DigestUpdate(libcrypto(context_), bytes.data(), bytes.size());
}

std::array<unsigned char, 32> Sha256::finish() {
  std::array<unsigned char, 32> digest{};
  EVP_DigestFinal_ex(libcrypto(context_), digest.data(), nullptr);
  EVP_DigestInit_ex(libcrypto(context_), nullptr, nullptr);
  return digest;
}

std::string Sha256::finish_hex() {
  static const char digits[] = "0123456789abcdef";
  std::string result;
  for (unsigned char byte : finish()) {
    result += digits[byte >> 4];
    result += digits[byte & 15];
  }
  return result;
}

void RowSum::add(const std::array<unsigned char, 32>& row) {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    std::uint64_t part = 0;
    std::memcpy(&part, row.data() + i * sizeof part, sizeof part);
    parts_[i] += part;
  }
}

std::string RowSum::bytes() const {
  return {reinterpret_cast<const char*>(parts_.data()), sizeof parts_};
}

}  // namespace drydock
