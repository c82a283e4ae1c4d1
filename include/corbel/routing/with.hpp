#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <corbel/http/accept.hpp>
#include <corbel/http/cookie.hpp>
#include <corbel/routing/reply.hpp>

namespace corbel {

/// A reply with fields of its own: `return with(user).cookie(keys->sign("uid", id)).header("X-Total", "3");`
/// An error inside it leaves without them.
template <class T>
class decorated {
 public:
  explicit decorated(T value) : value_(std::move(value)) {}

  /// Sets a field; name and value are checked when the reply is written, as `response::set` does.
  decorated&& header(std::string name, std::string value) && {
    fields_.emplace_back(std::move(name), std::move(value));
    return std::move(*this);
  }
  /// Names a request's field that this reply was chosen by, beside those that Vary names already.
  decorated&& vary(std::string field_name) && {
    varies_.push_back(std::move(field_name));
    return std::move(*this);
  }
  decorated&& cookie(new_cookie c) && {
    cookies_.push_back(std::move(c));
    return std::move(*this);
  }
  decorated&& forget_cookie(std::string_view name) && {
    forgotten_.emplace_back(name);
    return std::move(*this);
  }

 private:
  friend struct reply<decorated<T>>;
  T value_;
  std::vector<std::pair<std::string, std::string>> fields_;
  std::vector<std::string> varies_;
  std::vector<new_cookie> cookies_;
  std::vector<std::string> forgotten_;
};

template <class T>
decorated<T> with(T value) {
  return decorated<T>(std::move(value));
}
/// 204 with fields.
inline decorated<no_content> with() {
  return decorated<no_content>(no_content{});
}

template <class T>
requires(detail::is_replyable<T>()) struct reply<decorated<T>> {
  static void write(const request& in, response& out, decorated<T>&& made) {
    detail::write_reply(in, out, std::move(made.value_));
    if (static_cast<int>(out.status()) >= 400) return;
    for (const auto& [name, value] : made.fields_) out.set(name, value);
    for (const auto& each : made.varies_) vary(out, each);
    for (const auto& each : made.cookies_) set_cookie(out, each);
    for (const auto& each : made.forgotten_) delete_cookie(out, each);
  }
};

}  // namespace corbel
