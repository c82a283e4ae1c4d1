#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace corbel {

/// What went wrong, in the terms of the service. `http/problem` maps each kind to exactly one status.
enum class error_kind : std::uint8_t {
  malformed,               ///< 400: the input could not be read at all
  invalid,                 ///< 400: the input was read and breaks a rule
  unauthenticated,         ///< 401
  forbidden,               ///< 403
  not_found,               ///< 404
  method_not_allowed,      ///< 405
  not_acceptable,          ///< 406: none of the forms that we have is one that the client takes
  request_timeout,         ///< 408: the client was too slow
  conflict,                ///< 409
  precondition_failed,     ///< 412
  payload_too_large,       ///< 413
  uri_too_long,            ///< 414
  unsupported_media_type,  ///< 415
  range_not_satisfiable,   ///< 416
  expectation_failed,      ///< 417
  unprocessable,           ///< 422: well formed, but a business rule refused it
  precondition_required,   ///< 428: a change must say, by If-Match, which state it is made to
  too_many_requests,       ///< 429
  headers_too_large,       ///< 431
  client_closed_request,   ///< 499: the client left before its answer; seen by logs and metrics alone
  internal,                ///< 500: a surprise; what it was goes to the log only
  not_implemented,         ///< 501
  bad_gateway,             ///< 502: another service failed us
  unavailable,             ///< 503: try again later
  deadline_exceeded,       ///< 504: the work took too long, ours or that of a service we called
  version_not_supported,   ///< 505
};

/// One broken rule of one input.
struct violation {
  std::string in;       ///< where the value came from: "body", "query", "path", "header", "cookie", "env"
  std::string path;     ///< RFC 6901 JSON pointer into it, such as "/tags/2"; empty for the whole
  std::string rule;     ///< the JSON Schema keyword that failed, such as "minLength"
  std::string message;  ///< one sentence for a person

  friend bool operator==(const violation&, const violation&) = default;
};

/// What the layer that failed knows beyond words, for code above it to act on: `data::constraint` is one.
struct error_origin {
  virtual ~error_origin() = default;
};

/// An expected failure, as a value. Everything in it but `cause()` and `origin()` may be shown to a client.
class error {
 public:
  error(error_kind kind, std::string code, std::string message)
      : kind_(kind), code_(std::move(code)), message_(std::move(message)) {}

  error_kind kind() const noexcept { return kind_; }
  /// Machine-readable and stable, snake_case, such as "validation_failed".
  const std::string& code() const noexcept { return code_; }
  /// One sentence for a person.
  const std::string& message() const noexcept { return message_; }

  const std::vector<violation>& violations() const noexcept { return violations_; }
  error& add(violation v) & {
    violations_.push_back(std::move(v));
    return *this;
  }
  error&& with(std::vector<violation> all) && {
    violations_ = std::move(all);
    return std::move(*this);
  }

  /// Further public facts, members of the envelope's `details`.
  const std::vector<std::pair<std::string, std::string>>& details() const noexcept { return details_; }
  error&& detail(std::string name, std::string value) && {
    details_.emplace_back(std::move(name), std::move(value));
    return std::move(*this);
  }

  /// Fields that the answer carries beside the envelope, such as WWW-Authenticate (RFC 9110, 11.6.1) or
  /// Allow.
  const std::vector<std::pair<std::string, std::string>>& headers() const noexcept { return headers_; }
  error&& header(std::string name, std::string value) && {
    headers_.emplace_back(std::move(name), std::move(value));
    return std::move(*this);
  }

  /// Sent as `Retry-After`.
  std::optional<std::chrono::seconds> retry_after() const noexcept { return retry_after_; }
  error&& retry_after(std::chrono::seconds wait) && {
    retry_after_ = wait;
    return std::move(*this);
  }

  /// What really happened, for the log alone: it never reaches a client.
  const std::string& cause() const noexcept { return cause_; }
  error&& because(std::string internal_text) && {
    cause_ = std::move(internal_text);
    return std::move(*this);
  }

  /// Null when the error does not stem from an Origin. Lives as long as this error or a copy of it.
  template <class Origin>
  const Origin* origin() const noexcept {
    return dynamic_cast<const Origin*>(origin_.get());
  }
  error&& from(std::shared_ptr<const error_origin> origin) && {
    origin_ = std::move(origin);
    return std::move(*this);
  }

 private:
  error_kind kind_;
  std::optional<std::chrono::seconds> retry_after_;
  std::string code_;
  std::string message_;
  std::vector<violation> violations_;
  std::vector<std::pair<std::string, std::string>> details_;
  std::vector<std::pair<std::string, std::string>> headers_;
  std::string cause_;
  std::shared_ptr<const error_origin> origin_;
};

/// Carries an `error` up through code that cannot return one. Caught once, by the error boundary.
class failure : public std::exception {
 public:
  explicit failure(corbel::error e);
  const corbel::error& error() const noexcept { return error_; }
  /// For logs and terminals, never for clients: the cause, where there is one. Behind the message, unless
  /// that says no more than that something is wrong here (kinds `internal` and `unavailable`).
  const char* what() const noexcept override;

 private:
  corbel::error error_;
  std::string both_;  // message and cause, where both are told
};

/// The errors a service returns most. `message` is shown to the client, `code` is for its programs.
error malformed(std::string message, std::string code = "malformed");
error invalid(std::vector<violation> violations);
error unauthenticated(std::string message, std::string code = "unauthenticated");
error forbidden(std::string message, std::string code = "forbidden");
error not_found(std::string message, std::string code = "not_found");
error conflict(std::string message, std::string code = "conflict");
error unprocessable(std::string message, std::string code = "unprocessable");
error unavailable(std::string message, std::string code = "unavailable");
/// `cause` goes to the log; the client reads only that something went wrong here.
error internal_error(std::string cause);

/// The name of a kind, such as "not_found".
std::string_view to_string(error_kind kind) noexcept;

}  // namespace corbel
