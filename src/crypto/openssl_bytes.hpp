#pragma once

#include <string_view>

namespace corbel::crypto {

/// `text` as OpenSSL takes bytes.
inline const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace corbel::crypto
