#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <corbel/base/describe/type_of.hpp>
#include <corbel/base/result.hpp>
#include <corbel/http/status.hpp>
#include <corbel/runtime/task.hpp>

namespace corbel {

/// What another service answered.
class client_response {
 public:
  client_response() = default;
  /// For fakes: `client_response(status::ok, R"({"id":1})")`.
  explicit client_response(corbel::status s, std::string body = {},
                           std::string content_type = "application/json");

  corbel::status status() const noexcept { return static_cast<corbel::status>(code_); }
  /// As a number; other services may send what `status` has no name for.
  int code() const noexcept { return code_; }
  /// 200 to 299.
  bool ok() const noexcept { return code_ >= 200 && code_ <= 299; }
  /// The error `unexpected_status` (502) unless it is `ok`: `if (auto e = reply->expect_ok(); !e) ...`
  result<void> expect_ok() const;

  /// In the order in which they came.
  const std::vector<std::pair<std::string, std::string>>& headers() const noexcept { return headers_; }
  /// The first field of that name, compared without case.
  std::optional<std::string_view> header(std::string_view name) const noexcept;
  /// Without its transfer and content codings. Empty for a response that is streamed.
  const std::string& body() const& noexcept { return body_; }
  std::string body() && noexcept { return std::move(body_); }
  /// Where the response came from: another URL than was asked for after a redirect.
  const std::string& url() const noexcept { return url_; }

  /// The body as a described type, its rules checked. The error is `unexpected_response` (502): it is the
  /// other service that broke them, and which ones is in `cause()`. Members that T does not describe are
  /// refused unless its `describe` says `object(...).open()`.
  template <class T>
  result<T> json() const {
    T value = T();
    if (auto done = read_json(type_of<T>(), &value); !done) return std::move(done).error();
    return value;
  }

  client_response& code(int code) noexcept {
    code_ = code;
    return *this;
  }
  client_response& add_header(std::string name, std::string value) {
    headers_.emplace_back(std::move(name), std::move(value));
    return *this;
  }
  client_response& remove_header(std::string_view name);
  client_response& body(std::string content) {
    body_ = std::move(content);
    return *this;
  }
  client_response& url(std::string text) {
    url_ = std::move(text);
    return *this;
  }

 private:
  result<void> read_json(const type_descriptor& type, void* out) const;

  int code_ = 200;
  std::vector<std::pair<std::string, std::string>> headers_;
  std::string body_;
  std::string url_;
};

/// A response whose body is read as it comes: what the caller does not read yet stays with the other service.
/// Belongs to the loop it was opened on. Destroying it before the end closes the connection.
class client_stream {
 public:
  struct impl;
  explicit client_stream(std::unique_ptr<impl> i);
  client_stream(client_stream&&) noexcept;
  client_stream& operator=(client_stream&&) noexcept;
  ~client_stream();

  /// Status and headers; its `body()` is empty.
  const client_response& head() const noexcept;
  /// The next piece, never empty before the end; empty at the end. It is a view until the next call.
  task<result<std::string_view>> read();

 private:
  std::unique_ptr<impl> impl_;
};

}  // namespace corbel
