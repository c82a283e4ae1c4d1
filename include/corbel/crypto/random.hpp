#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace corbel::crypto {

/// Fills `out` with bytes that nobody can guess. Throws std::runtime_error when the system has none.
void random_bytes(std::span<std::byte> out);
/// `count` such bytes, as they are.
std::string random_bytes(std::size_t count);
/// A name that nobody can guess, of `bytes` random bytes in base64url: for session ids, CSRF tokens,
/// invitations.
std::string random_token(std::size_t bytes = 32);

}  // namespace corbel::crypto
