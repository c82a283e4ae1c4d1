#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <corbel/base/time.hpp>
#include <corbel/http/request.hpp>
#include <corbel/http/response.hpp>

namespace corbel {

/// With which requests from other sites a browser sends a cookie (RFC 6265bis, 4.1.2.7).
enum class same_site : std::uint8_t {
  lax,     ///< only when a link is followed
  strict,  ///< never
  none,    ///< always; needs Secure
};

/// A cookie to be set. It begins safe: HttpOnly, Secure, SameSite=Lax, Path=/, and it ends with the browser's
/// session. Secure keeps plain http:// from seeing it; browsers make an exception for localhost.
class new_cookie {
 public:
  /// Throws std::invalid_argument when `name` is no token. Whatever the value holds that a cookie may not,
  /// and '%', is percent-encoded; `cookie_value` and `cookie<T, "name">` undo that.
  new_cookie(std::string_view name, std::string_view value);

  /// How long the browser keeps it; zero or less deletes it. Goes before `expires`.
  new_cookie& max_age(std::chrono::seconds age) &;
  new_cookie& expires(timestamp when) &;
  /// Only below this path, which begins with '/'. It is no protection: other paths of the host can still get
  /// at it.
  new_cookie& path(std::string_view path) &;
  /// Also for the hosts below this one; without it the cookie is for the host alone.
  new_cookie& domain(std::string_view host) &;
  new_cookie& same_site(corbel::same_site rule) &;
  /// A jar of its own for each site that embeds this one (CHIPS); needs Secure.
  new_cookie& partitioned() &;
  /// Scripts may read it (no HttpOnly).
  new_cookie& script_readable() &;
  /// Sent over plain http, too (no Secure).
  new_cookie& insecure() &;

  new_cookie&& max_age(std::chrono::seconds age) && { return std::move(max_age(age)); }
  new_cookie&& expires(timestamp when) && { return std::move(expires(when)); }
  new_cookie&& path(std::string_view p) && { return std::move(path(p)); }
  new_cookie&& domain(std::string_view host) && { return std::move(domain(host)); }
  new_cookie&& same_site(corbel::same_site rule) && { return std::move(same_site(rule)); }
  new_cookie&& partitioned() && { return std::move(partitioned()); }
  new_cookie&& script_readable() && { return std::move(script_readable()); }
  new_cookie&& insecure() && { return std::move(insecure()); }

  const std::string& name() const noexcept { return name_; }
  /// As it is sent.
  const std::string& value() const noexcept { return value_; }

  /// The value of its Set-Cookie field. Throws std::invalid_argument for what a browser would drop without a
  /// word: a
  /// `__Host-` or `__Secure-` name without what it promises, SameSite=None or Partitioned without Secure, or
  /// more than `most_cookie_bytes`.
  std::string text() const;

 private:
  friend void set_cookie(response& out, const new_cookie& cookie);
  std::string name_;
  std::string value_;
  std::string path_ = "/";
  std::string domain_;
  std::optional<std::chrono::seconds> max_age_;
  std::optional<timestamp> expires_;
  corbel::same_site same_site_ = corbel::same_site::lax;
  bool http_only_ = true;
  bool secure_ = true;
  bool partitioned_ = false;
};

/// Browsers keep no larger ones.
inline constexpr std::size_t most_cookie_bytes = 4096;

/// Sets a cookie, in place of one with the same name, domain and path that the response sets already. Throws
/// as `text` does.
void set_cookie(response& out, const new_cookie& cookie);

/// Has the browser forget a cookie. One that was set with a path or a domain is found by the same ones:
/// `delete_cookie(out, new_cookie("theme", "").domain("example.org"))`.
void delete_cookie(response& out, std::string_view name);
void delete_cookie(response& out, new_cookie cookie);

/// A cookie of the request, percent-decoded; as it was sent, when that is no percent-encoding. Of several
/// with one name it is the first, which by RFC 6265, 5.4 is the one with the longest path.
std::optional<std::string> cookie_value(const request& in, std::string_view name);

}  // namespace corbel
