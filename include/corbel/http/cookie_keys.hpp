#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <corbel/base/describe/type_of.hpp>
#include <corbel/base/json/writer.hpp>
#include <corbel/base/time.hpp>
#include <corbel/crypto/hash.hpp>
#include <corbel/http/cookie.hpp>
#include <corbel/http/request.hpp>

namespace corbel {

/// Signs and seals cookies. A signed one can be read by its owner but not changed; a sealed one (AES-256-GCM)
/// cannot be read either. Every cookie name has keys of its own, so that a value which was moved to another
/// name, or from a signed cookie to a sealed one, does not verify. Whoever holds a valid cookie can send it
/// again for as long as it is valid: give it an end.
///
/// One object serves all threads. Handlers get it as `state<cookie_keys>`, or through `signed_cookie` and
/// `sealed_cookie`.
class cookie_keys {
 public:
  /// The first secret signs and seals; all of them verify and open. To replace a secret, put the new one in
  /// front, and take the old one away once the last cookie made with it has ended. Throws
  /// std::invalid_argument when there is none, or when one is shorter than 32 bytes: make one by `openssl
  /// rand -base64 32`.
  explicit cookie_keys(const std::vector<std::string>& secrets);
  cookie_keys(std::initializer_list<std::string> secrets) : cookie_keys(std::vector<std::string>(secrets)) {}
  ~cookie_keys();
  cookie_keys(const cookie_keys&) = delete;
  cookie_keys& operator=(const cookie_keys&) = delete;
  cookie_keys(cookie_keys&&) = default;
  cookie_keys& operator=(cookie_keys&&) = default;

  /// A cookie to be set. With `until`, both the browser and the value itself know its end.
  new_cookie sign(std::string_view name, std::string_view value, std::optional<timestamp> until = {}) const;
  new_cookie seal(std::string_view name, std::string_view value, std::optional<timestamp> until = {}) const;

  /// The same for a described value, as JSON.
  template <class T>
  requires(described<T>) new_cookie
      sign(std::string_view name, const T& value, std::optional<timestamp> until = {})
  const { return sign(name, std::string_view(json::to_text(value)), until); }
  template <class T>
  requires(described<T>) new_cookie
      seal(std::string_view name, const T& value, std::optional<timestamp> until = {})
  const { return seal(name, std::string_view(json::to_text(value)), until); }

  /// The value that a cookie's text holds; empty when it was not made here under this name, was changed, or
  /// is past its end.
  std::optional<std::string> verify(std::string_view name, std::string_view text, timestamp now) const;
  std::optional<std::string> open(std::string_view name, std::string_view text, timestamp now) const;

  /// The same for the request's cookie of that name. A valid one counts even behind an invalid one of its
  /// name, which a neighbouring subdomain may have put in front of it.
  std::optional<std::string> read_signed(const request& in, std::string_view name) const;
  std::optional<std::string> read_sealed(const request& in, std::string_view name) const;

 private:
  std::vector<crypto::digest> roots_;  // one for each secret, in order
};

}  // namespace corbel
