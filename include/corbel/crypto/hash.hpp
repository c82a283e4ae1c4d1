#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>

namespace corbel::crypto {

/// The 32 bytes of a SHA-256 hash or of an HMAC over it.
struct digest {
  static constexpr std::size_t size = 32;
  std::array<char, size> bytes{};

  std::string_view view() const noexcept { return {bytes.data(), bytes.size()}; }
  /// Takes as long whatever the bytes are, as the comparison of a secret must.
  friend bool operator==(const digest& a, const digest& b) noexcept;
};

/// FIPS 180-4. Says nothing about who wrote the data: that is `hmac_sha256`. No hash for passwords.
digest sha256(std::string_view data);

/// The same for data that comes in pieces. Not for two threads at once.
class sha256_stream {
 public:
  sha256_stream();
  ~sha256_stream();
  sha256_stream(sha256_stream&&) noexcept;
  sha256_stream& operator=(sha256_stream&&) noexcept;

  sha256_stream& update(std::string_view piece);
  /// The hash of all pieces; the stream then begins anew.
  digest finish();

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// RFC 2104 over SHA-256: who does not know `key` cannot make it.
digest hmac_sha256(std::string_view key, std::string_view data);

/// HKDF over SHA-256 (RFC 5869) in its two steps: `extract` makes a key of a secret whose bytes are not
/// evenly random, `expand` makes keys of it, each for the purpose that `info` names; none tells another.
digest hkdf_extract(std::string_view salt, std::string_view secret);
digest hkdf_expand(const digest& key, std::string_view info);

/// Whether two texts are the same, in a time that depends on their lengths alone.
bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept;

/// Overwrites memory that held a secret; the compiler does not leave it out.
void wipe(void* at, std::size_t size) noexcept;

}  // namespace corbel::crypto
