#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <corbel/crypto/hash.hpp>

namespace corbel::crypto {

/// Bytes that `seal` adds to what it seals.
inline constexpr std::size_t seal_overhead = 24 + 16;

/// Encrypts `plain` with AES-256-GCM (NIST SP 800-38D) and binds it to `context`, which is not sent along but
/// must be the same when it is opened. The result is 24 random bytes, the ciphertext, and the tag.
///
/// Half of the random bytes go into a key for this message alone (HKDF), the other half are its nonce: so one
/// key may seal any number of messages that a service will ever make, where plain GCM ends at 2^32.
std::string seal(const digest& key, std::string_view context, std::string_view plain);

/// What was sealed; empty when it was changed, cut, sealed with another key, or for another context.
std::optional<std::string> open(const digest& key, std::string_view context, std::string_view sealed);

}  // namespace corbel::crypto
