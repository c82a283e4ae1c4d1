#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <corbel/base/time.hpp>
#include <corbel/http/field.hpp>
#include <corbel/http/method.hpp>
#include <corbel/http/url.hpp>

namespace corbel {

struct app_context;
class body_source;
struct connection_facts;
class logger;
struct nested_response;
struct request_origin;
class services;
struct tls_info;

/// One request. Its texts are views into memory that lives until the response is complete: keep a copy, not a
/// view, of what must live longer. Belongs to the thread that serves it.
class request {
 public:
  request() = default;
  request(const request&) = delete;
  request& operator=(const request&) = delete;
  request(request&&) = default;
  request& operator=(request&&) = default;

  corbel::method method() const noexcept { return method_; }
  /// As sent; the only name of a method that is `method::other`.
  std::string_view method_name() const noexcept { return method_name_; }
  /// The request target as sent, such as "/a%20b?c=d".
  std::string_view target() const noexcept { return target_; }
  /// The target's path as sent, still percent-encoded; never empty but for "OPTIONS *".
  std::string_view path() const noexcept { return path_; }
  /// What follows the '?', without it.
  std::string_view query() const noexcept { return query_; }
  /// 10 for HTTP/1.0, 11 for HTTP/1.1.
  int version() const noexcept { return version_; }

  std::span<const field_view> headers() const noexcept { return headers_; }
  /// The first field of that name, compared without case.
  std::optional<std::string_view> header(std::string_view name) const noexcept;
  /// The value of a cookie (RFC 6265, 5.4), as sent.
  std::optional<std::string_view> cookie(std::string_view name) const noexcept;

  /// The whole body; chunked framing is already undone. Empty when the route streams it.
  std::string_view body() const noexcept { return body_; }
  /// The body as it arrives, on a route that streams it; null when it is whole, in `body()`.
  body_source* arriving() const noexcept { return arriving_; }
  /// The most bytes that the body may have, also after what a middleware does to it.
  std::size_t body_limit() const noexcept { return body_limit_; }

  /// A `:name` or `*name` of the route's path, percent-decoded; in a `*name`, `%2F` stays as it was sent.
  std::optional<std::string_view> path_param(std::string_view name) const noexcept;
  std::span<const field_view> path_params() const noexcept { return params_; }
  /// The decoded pairs of the query; empty when an escape in it is broken.
  const std::optional<query_pairs>& query_params() const;

  /// The id that log lines and the error envelope carry; empty before the request id middleware ran.
  std::string_view id() const noexcept {
    return {long_id_.empty() ? short_id_.data() : long_id_.data(), id_size_};
  }
  void id(std::string_view id);

  /// The address at the other end of the connection, such as "192.0.2.1" or "2001:db8::1"; empty when there
  /// is no socket. With the PROXY protocol, the address that it tells.
  std::string_view peer() const noexcept { return peer_; }
  /// The client's address: that of `peer()`, or what the trusted proxies before us tell (see
  /// `server_settings::trusted_proxies`). When they tell no address: RFC 7239's "unknown" or "_identifier".
  std::string_view client() const { return facts_ ? told_client() : peer(); }
  /// "https" or "http": what the client speaks, to us or to the first trusted proxy.
  std::string_view scheme() const { return facts_ ? told_scheme() : "http"; }
  /// The host, perhaps with a port, that the client asked for: the Host field, or what the trusted proxies
  /// tell. Empty in an HTTP/1.0 request without one. Whoever sends the request chooses it.
  std::string_view host() const;
  /// How the connection to us is protected; null when it is not.
  const tls_info* tls() const noexcept;

  /// The service's time.
  timestamp now() const noexcept;
  std::chrono::steady_clock::time_point arrived() const noexcept { return arrived_; }

  /// How long it has taken so far, from the wake-up that brought its last byte.
  std::chrono::nanoseconds elapsed() const noexcept;

  /// The application's log, with this request's id on every line.
  logger log() const;

  /// What the application provides to handlers.
  const corbel::services& services() const noexcept;

  /// The path of the route that serves it, as it was registered, such as "/projects/:id": what metrics are
  /// grouped by. Empty where no route does, and before one was chosen.
  std::string_view route_path() const noexcept { return route_path_; }

  /// A value that one middleware leaves for later ones and the handler, found by its type.
  template <class T>
  T& emplace(T value) {
    auto held = std::make_shared<T>(std::move(value));
    T& there = *held;
    extensions_.emplace_back(&type_key<T>, std::move(held));
    return there;
  }
  /// Null when nothing of this type was left.
  template <class T>
  T* find() const noexcept {
    for (auto at = extensions_.rbegin(); at != extensions_.rend(); ++at)
      if (at->first == &type_key<T>) return static_cast<T*>(at->second.get());
    return nullptr;
  }

 private:
  friend class request_access;
  static constexpr std::uint16_t not_left = 0xffff;
  const request_origin* origin() const;
  std::string_view told_client() const;
  std::string_view told_scheme() const;
  template <class T>
  static inline const char type_key = 0;

  corbel::method method_ = corbel::method::other;
  int version_ = 11;
  std::string_view method_name_;
  std::string_view target_;
  std::string_view path_;
  std::string_view query_;
  std::string_view body_;
  body_source* arriving_ = nullptr;
  std::size_t body_limit_ = 0;
  std::vector<field_view> headers_;
  std::vector<field_view> params_;
  std::vector<char> decoded_;  // percent-decoded parameters; a vector, so that a move keeps their address
  std::array<char, 36> short_id_{};  // as long as a UUID
  bool made_id_ = false;             // or checked by us: every byte of it may stand in a header
  std::size_t id_size_ = 0;
  std::string long_id_;
  std::string_view peer_;
  std::shared_ptr<const connection_facts> facts_;         // mostly none
  mutable std::shared_ptr<const request_origin> origin_;  // read when first asked for
  std::chrono::steady_clock::time_point arrived_{};
  const app_context* context_ = nullptr;
  std::string_view route_path_;  // the router's
  // How far it has come through the layers of its route: see `request_access`.
  bool entered_ = false;
  bool client_left_ = false;
  std::uint16_t left_from_ = not_left;
  const nested_response* nested_ = nullptr;
  mutable bool query_read_ = false;
  mutable std::optional<query_pairs> query_params_;
  std::vector<std::pair<const char*, std::shared_ptr<void>>> extensions_;
};

}  // namespace corbel
