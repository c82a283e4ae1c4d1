#include "corbel/http/cookie_keys.hpp"

#include <charconv>
#include <stdexcept>
#include <utility>

#include "corbel/base/encoding.hpp"
#include "corbel/crypto/seal.hpp"

namespace corbel {
namespace {

using crypto::digest;

constexpr std::size_t least_secret = 32;      // bytes
constexpr std::size_t longest_cookie = 4096;  // what browsers keep; more is not looked at

/// No two pairs of purpose and name give one key: a token holds no NUL.
digest key_for(const digest& root, std::string_view purpose, std::string_view name) {
  std::string info(purpose);
  info += '\0';
  info += name;
  return crypto::hkdf_expand(root, info);
}
constexpr std::string_view signing = "signed cookie";
constexpr std::string_view sealing = "sealed cookie";

std::string to_number(std::optional<timestamp> until) {
  return until ? std::to_string(until->time_since_epoch().count()) : std::string();
}

/// Whether a time, written by `to_number`, has not come yet; what is empty has no end.
bool is_before_end(std::string_view text, timestamp now) {
  if (text.empty()) return true;
  timestamp::rep count = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), count);
  return wrong == std::errc() && end == text.data() + text.size() && now.time_since_epoch().count() < count;
}

new_cookie made(std::string_view name, std::string_view text, std::optional<timestamp> until) {
  new_cookie cookie(name, text);
  if (until) cookie.expires(*until);
  return cookie;
}

/// Calls `read` with every cookie of that name until it gives something.
template <class Read>
std::optional<std::string> first_valid(const request& in, std::string_view name, Read read) {
  constexpr int most_tries = 8;  // each costs some hashing, and a client may send hundreds
  int tries = 0;
  for (const auto& field : in.headers()) {
    if (!iequals(field.name, "Cookie")) continue;
    auto rest = field.value;
    while (!rest.empty()) {
      auto value = next_item(rest, ';');
      if (next_item(value, '=') != name) continue;
      if (auto found = read(trim_space(value))) return found;
      if (++tries == most_tries) return {};
    }
  }
  return {};
}

}  // namespace

cookie_keys::cookie_keys(const std::vector<std::string>& secrets) {
  if (secrets.empty())
    throw std::invalid_argument("cookie_keys needs a secret; make one by `openssl rand -base64 32`");
  for (const auto& each : secrets) {
    if (each.size() < least_secret)
      throw std::invalid_argument(
          "a secret of cookie_keys is shorter than 32 bytes, so it could be guessed; make one by "
          "`openssl rand -base64 32`");
    roots_.push_back(crypto::hkdf_extract("corbel cookies v1", each));
  }
}

cookie_keys::~cookie_keys() {
  for (auto& each : roots_) crypto::wipe(each.bytes.data(), each.bytes.size());
}

// value "." end "." signature of what stands before it; value and signature in base64url, so neither holds a
// point.
new_cookie cookie_keys::sign(std::string_view name, std::string_view value,
                             std::optional<timestamp> until) const {
  std::string text = to_base64url(value) + '.' + to_number(until);
  const auto signature = crypto::hmac_sha256(key_for(roots_.front(), signing, name).view(), text);
  return made(name, text + '.' + to_base64url(signature.view()), until);
}

std::optional<std::string> cookie_keys::verify(std::string_view name, std::string_view text,
                                               timestamp now) const {
  if (text.size() > longest_cookie) return {};
  const auto last = text.rfind('.');
  if (last == std::string_view::npos) return {};
  const auto said = text.substr(0, last);
  const auto signature = from_base64url(text.substr(last + 1));
  if (!signature) return {};
  for (const auto& root : roots_) {
    const auto expected = crypto::hmac_sha256(key_for(root, signing, name).view(), said);
    if (!crypto::equal_in_constant_time(*signature, expected.view())) continue;
    const auto point = said.find('.');
    if (point == std::string_view::npos || !is_before_end(said.substr(point + 1), now)) return {};
    return from_base64url(said.substr(0, point));
  }
  return {};
}

// Sealed is: end "." value.
new_cookie cookie_keys::seal(std::string_view name, std::string_view value,
                             std::optional<timestamp> until) const {
  std::string plain = to_number(until) + '.';
  plain += value;
  const auto sealed = crypto::seal(key_for(roots_.front(), sealing, name), name, plain);
  return made(name, to_base64url(sealed), until);
}

std::optional<std::string> cookie_keys::open(std::string_view name, std::string_view text,
                                             timestamp now) const {
  if (text.size() > longest_cookie) return {};
  const auto sealed = from_base64url(text);
  if (!sealed) return {};
  for (const auto& root : roots_) {
    auto plain = crypto::open(key_for(root, sealing, name), name, *sealed);
    if (!plain) continue;
    const auto point = plain->find('.');
    if (point == std::string::npos || !is_before_end(std::string_view(*plain).substr(0, point), now))
      return {};
    plain->erase(0, point + 1);
    return plain;
  }
  return {};
}

std::optional<std::string> cookie_keys::read_signed(const request& in, std::string_view name) const {
  return first_valid(in, name, [&](std::string_view text) { return verify(name, text, in.now()); });
}

std::optional<std::string> cookie_keys::read_sealed(const request& in, std::string_view name) const {
  return first_valid(in, name, [&](std::string_view text) { return open(name, text, in.now()); });
}

}  // namespace corbel
