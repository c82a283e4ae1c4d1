#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <corbel/base/json/decode.hpp>
#include <corbel/base/json/writer.hpp>
#include <corbel/http/response.hpp>

namespace corbel {

/// A request for `app::inject`: it takes the whole way through the parser's rules and the pipeline, but no
/// socket.
class injected_request {
 public:
  injected_request(std::string method, std::string target)
      : method_(std::move(method)), target_(std::move(target)) {}

  injected_request&& header(std::string name, std::string value) && {
    headers_.emplace_back(std::move(name), std::move(value));
    return std::move(*this);
  }
  injected_request&& body(std::string content, std::string content_type) && {
    body_ = std::move(content);
    return std::move(*this).header("Content-Type", std::move(content_type));
  }
  /// A body of JSON text.
  injected_request&& json(std::string text) && {
    return std::move(*this).body(std::move(text), "application/json");
  }
  /// A body made of a described value.
  template <class T>
  requires(described<T>) injected_request && json(const T& value) && {
    return std::move(*this).json(corbel::json::to_text(value));
  }

  /// As it would go over the wire.
  std::string text() const;

 private:
  std::string method_;
  std::string target_;
  std::vector<std::pair<std::string, std::string>> headers_;
  std::string body_;
};

inline injected_request get(std::string target) {
  return {"GET", std::move(target)};
}
inline injected_request post(std::string target) {
  return {"POST", std::move(target)};
}
inline injected_request put(std::string target) {
  return {"PUT", std::move(target)};
}
inline injected_request patch(std::string target) {
  return {"PATCH", std::move(target)};
}
inline injected_request del(std::string target) {
  return {"DELETE", std::move(target)};
}

/// What came back.
struct injected_response : response {
  int code() const noexcept { return static_cast<int>(status()); }
  /// The body as a described type, without its rules.
  template <class T>
  result<T> json() const {
    return corbel::json::parse<T>(body());
  }
};

}  // namespace corbel
