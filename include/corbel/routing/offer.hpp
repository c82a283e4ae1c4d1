#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <corbel/routing/reply.hpp>

namespace corbel {

/// A reply in the form that the client likes best (RFC 9110, 12.5.1), of equal ones the first that is
/// offered:
///
///     return offer().json(report).as("text/csv", [report] { return to_csv(report); });
///
/// Only the chosen form is made. When the client takes none of them the answer is 406, which lists them. Vary
/// names Accept.
class offer {
 public:
  /// application/json.
  template <class T>
  offer&& json(T value) && {
    static_assert(detail::is_json_value<T>(),
                  "corbel: offer().json(value) takes a described type, a list or map of such, or a scalar");
    auto held = std::make_shared<const T>(std::move(value));
    return std::move(*this).add("application/json",
                                [held = std::move(held)](response& out, corbel::status s) {
                                  detail::write_json(out, s, type_of<T>(), held.get());
                                });
  }
  /// text/plain and text/html, in UTF-8.
  offer&& text(std::string content) && {
    return std::move(*this).as("text/plain; charset=utf-8", std::move(content));
  }
  offer&& html(std::string content) && {
    return std::move(*this).as("text/html; charset=utf-8", std::move(content));
  }
  /// Any media type.
  offer&& as(std::string type, std::string content) && {
    return std::move(*this).as(std::move(type), [held = std::move(content)] { return held; });
  }
  /// The same with a function that makes the content, called when it is chosen. What it captures by reference
  /// must outlive the handler's call.
  template <class F>
  requires std::convertible_to<std::invoke_result_t<const F&>, std::string> offer &&
      as(std::string type, F make) && {
    auto name = type;
    return std::move(*this).add(
        std::move(name), [make = std::move(make), type = std::move(type)](response& out, corbel::status s) {
          out.status(s).body(make(), type);
        });
  }
  /// Instead of 200.
  offer&& status(corbel::status s) && {
    status_ = s;
    return std::move(*this);
  }

 private:
  friend struct reply<offer>;
  using writer = std::function<void(response&, corbel::status)>;
  offer&& add(std::string type, writer write) && {
    forms_.emplace_back(std::move(type), std::move(write));
    return std::move(*this);
  }

  std::vector<std::pair<std::string, writer>> forms_;
  corbel::status status_ = corbel::status::ok;
};

template <>
struct reply<offer> {
  static void write(const request& in, response& out, offer&& offered);
};

}  // namespace corbel
