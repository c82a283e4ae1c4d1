#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <corbel/base/describe/type_of.hpp>
#include <corbel/base/error.hpp>
#include <corbel/base/json/writer.hpp>
#include <corbel/base/temporaries.hpp>
#include <corbel/http/body_stream.hpp>
#include <corbel/http/method.hpp>

namespace corbel {

class request;

/// A request to another service, owning all it needs:
///
///     outbound::post("https://api.example.com/v1/things").bearer(token).json(thing).timeout(2s)
///
/// What is wrong with it (a header that may not be sent, a URL with two readings) is the error of the call.
class outbound {
 public:
  struct field {
    std::string name;
    std::string value;
    bool secret = false;  ///< not sent on to another origin by a redirect
  };

  outbound(corbel::method m, std::string url) : method_(m), url_(std::move(url)) {}
  static outbound get(std::string url) { return {method::get, std::move(url)}; }
  static outbound head(std::string url) { return {method::head, std::move(url)}; }
  static outbound post(std::string url) { return {method::post, std::move(url)}; }
  static outbound put(std::string url) { return {method::put, std::move(url)}; }
  static outbound patch(std::string url) { return {method::patch, std::move(url)}; }
  static outbound del(std::string url) { return {method::del, std::move(url)}; }

  /// Sets or replaces a field. Host, Connection and what frames the body are the client's to write.
  outbound& header(std::string name, std::string value) &;
  outbound&& header(std::string name, std::string value) && {
    return std::move(header(std::move(name), std::move(value)));
  }
  /// As `header`, for a credential under a name of its own, such as X-Api-Key. Authorization, Cookie and
  /// Proxy-Authorization are treated so anyway.
  outbound& secret_header(std::string name, std::string value) &;
  outbound&& secret_header(std::string name, std::string value) && {
    return std::move(secret_header(std::move(name), std::move(value)));
  }
  /// `Authorization: Bearer ...` (RFC 6750).
  outbound& bearer(std::string_view token) & {
    return header("Authorization", "Bearer " + std::string(token));
  }
  outbound&& bearer(std::string_view token) && { return std::move(bearer(token)); }

  /// Adds `name=value` to the URL's query, both percent-encoded.
  outbound& query(std::string name, std::string value) &;
  outbound&& query(std::string name, std::string value) && {
    return std::move(query(std::move(name), std::move(value)));
  }

  outbound& body(std::string content, std::string content_type) &;
  outbound&& body(std::string content, std::string content_type) && {
    return std::move(body(std::move(content), std::move(content_type)));
  }
  /// A body made of a described value. g++ 12 refuses one without a name (`corbel/base/temporaries.hpp`).
  template <class T>
  outbound& json(const T& value) & {
    return body(corbel::json::to_text(value), "application/json");
  }
  template <class T>
  outbound&& json(const T& value) && {
    return std::move(json(value));
  }
  template <detail::risky_temporary T>
  outbound&& json(T&& value) && {
    detail::name_it_first<T>();
    return std::move(json(std::as_const(value)));
  }
  template <detail::risky_temporary F>
  outbound&& stream(F&& produce, std::string content_type, std::optional<std::uint64_t> length = {}) && {
    detail::name_it_first<F>();
    return std::move(stream(body_producer(std::move(produce)), std::move(content_type), length));
  }
  /// A body of JSON text.
  outbound&& json_text(std::string text) && { return std::move(body(std::move(text), "application/json")); }
  /// application/x-www-form-urlencoded.
  outbound& form(const std::vector<std::pair<std::string, std::string>>& fields) &;
  outbound&& form(const std::vector<std::pair<std::string, std::string>>& fields) && {
    return std::move(form(fields));
  }
  /// A body that is produced while it is sent: with Content-Length when its length is known, chunked
  /// otherwise. It cannot be sent twice, so neither a retry nor a 307 or 308 follows. A `failure` that the
  /// producer throws is the error of the call.
  outbound& stream(body_producer produce, std::string content_type,
                   std::optional<std::uint64_t> length = {}) &;
  outbound&& stream(body_producer produce, std::string content_type,
                    std::optional<std::uint64_t> length = {}) && {
    return std::move(stream(std::move(produce), std::move(content_type), length));
  }

  /// Carries the incoming request's X-Request-Id, traceparent and tracestate on, so that the logs of both
  /// services tell of one story.
  outbound& on_behalf_of(const request& in) &;
  outbound&& on_behalf_of(const request& in) && { return std::move(on_behalf_of(in)); }

  /// `client_timeouts::total` of this call.
  outbound& timeout(std::chrono::milliseconds total) & {
    total_ = total;
    return *this;
  }
  outbound&& timeout(std::chrono::milliseconds total) && { return std::move(timeout(total)); }
  outbound& connect_timeout(std::chrono::milliseconds limit) & {
    connect_ = limit;
    return *this;
  }
  outbound&& connect_timeout(std::chrono::milliseconds limit) && { return std::move(connect_timeout(limit)); }
  outbound& first_byte_timeout(std::chrono::milliseconds limit) & {
    first_byte_ = limit;
    return *this;
  }
  outbound&& first_byte_timeout(std::chrono::milliseconds limit) && {
    return std::move(first_byte_timeout(limit));
  }
  outbound& idle_timeout(std::chrono::milliseconds limit) & {
    idle_ = limit;
    return *this;
  }
  outbound&& idle_timeout(std::chrono::milliseconds limit) && { return std::move(idle_timeout(limit)); }
  /// Bytes that the response's body may have.
  outbound& body_limit(std::size_t bytes) & {
    body_limit_ = bytes;
    return *this;
  }
  outbound&& body_limit(std::size_t bytes) && { return std::move(body_limit(bytes)); }
  /// How many redirects are followed; 0 hands the 3xx response to the caller.
  outbound& redirects(std::size_t most) & {
    redirects_ = most;
    return *this;
  }
  outbound&& redirects(std::size_t most) && { return std::move(redirects(most)); }

  // What was asked for: for the client, and for fakes in tests.
  corbel::method method() const noexcept { return method_; }
  const std::string& url() const noexcept { return url_; }
  const std::vector<std::pair<std::string, std::string>>& query_pairs() const noexcept { return query_; }
  const std::vector<field>& headers() const noexcept { return headers_; }
  std::optional<std::string_view> header(std::string_view name) const noexcept;
  const std::string& body() const noexcept { return body_; }
  /// Empty unless `stream` was called.
  const body_producer& producer() const noexcept { return producer_; }
  std::optional<std::uint64_t> length() const noexcept { return length_; }
  /// Null while nothing is wrong with it.
  const error* mistake() const noexcept { return mistake_ ? &*mistake_ : nullptr; }
  std::optional<std::chrono::milliseconds> timeout() const noexcept { return total_; }
  std::optional<std::chrono::milliseconds> connect_timeout() const noexcept { return connect_; }
  std::optional<std::chrono::milliseconds> first_byte_timeout() const noexcept { return first_byte_; }
  std::optional<std::chrono::milliseconds> idle_timeout() const noexcept { return idle_; }
  std::optional<std::size_t> body_limit() const noexcept { return body_limit_; }
  std::optional<std::size_t> redirects() const noexcept { return redirects_; }

 private:
  corbel::method method_;
  std::string url_;
  std::vector<std::pair<std::string, std::string>> query_;
  std::vector<field> headers_;
  std::string body_;
  body_producer producer_;
  std::optional<std::uint64_t> length_;
  std::optional<error> mistake_;
  std::optional<std::chrono::milliseconds> total_, connect_, first_byte_, idle_;
  std::optional<std::size_t> body_limit_, redirects_;
};

}  // namespace corbel
