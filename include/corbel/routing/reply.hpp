#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <corbel/base/describe/type_of.hpp>
#include <corbel/base/result.hpp>
#include <corbel/http/request.hpp>
#include <corbel/http/response.hpp>

namespace corbel {

/// A JSON reply with a status of its own. A described value that is simply returned is one with 200.
template <class T>
struct json_reply {
  T value;
  corbel::status status = corbel::status::ok;
};
template <class T>
json_reply<T> json_with(corbel::status s, T value) {
  return {std::move(value), s};
}

/// 201 with the value as JSON and its Location; or the error that a service gave in place of the value, so
/// that a handler may say `co_return created(co_await projects->create(*in));`.
///
/// The Location is the request's path and the value's "id". `under` names another collection to find it in,
/// `at` the whole URI reference (RFC 9110, 10.2.2).
template <class T>
class created {
 public:
  using value_type = T;
  created(T value) : made_(std::move(value)) {}
  created(result<T> made) : made_(std::move(made)) {}
  created(error refused) : made_(std::move(refused)) {}

  created&& under(std::string collection) && {
    collection_ = std::move(collection);
    return std::move(*this);
  }
  created&& at(std::string uri) && {
    location_ = std::move(uri);
    return std::move(*this);
  }

  const result<T>& made() const noexcept { return made_; }
  const std::string& collection() const noexcept { return collection_; }
  const std::string& location() const noexcept { return location_; }

 private:
  result<T> made_;
  std::string collection_;
  std::string location_;
};

/// 204.
struct no_content {};

/// How a handler's result becomes the response. Specialise it for a type of your own:
///
///     template <>
///     struct corbel::reply<picture> {
///       static void write(const corbel::request& in, corbel::response& out, picture&& value);
///     };
template <class T>
struct reply;

namespace detail {

void write_json(response& out, status s, const type_descriptor& type, const void* value);
void write_text(response& out, std::string_view text);
/// `location` empty: below `collection`, or below the request's path when that is empty, too.
void write_created(const request& in, response& out, std::string_view location, std::string_view collection,
                   const type_descriptor& type, const void* value);
void write_error(const request& in, response& out, const error& e);
/// What `before` hooks have set in `out` stays, unless `made` sets it too.
void write_response(response& out, response made);

template <class T>
concept has_own_reply = requires(const request& in, response& out, T value) {
  reply<T>::write(in, out, std::move(value));
};

template <class T>
inline constexpr bool is_json_reply = false;
template <class T>
inline constexpr bool is_json_reply<json_reply<T>> = true;
template <class T>
inline constexpr bool is_created = false;
template <class T>
inline constexpr bool is_created<created<T>> = true;

/// Whether T has a JSON form.
template <class T>
constexpr bool is_json_value() {
  if constexpr (is_list<T>)
    return is_json_value<typename T::value_type>();
  else if constexpr (is_map<T>)
    return is_json_value<typename T::mapped_type>();
  else if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string> ||
                     std::is_same_v<T, nlohmann::json>)
    return true;
  else
    return described<T> || text_scalar<T>;
}

/// Whether a handler may return T.
template <class T>
constexpr bool is_replyable() {
  if constexpr (std::is_void_v<T> || std::is_same_v<T, no_content> || std::is_same_v<T, response> ||
                std::is_same_v<T, error> || has_own_reply<T>)
    return true;
  else if constexpr (is_result<T>)
    return is_replyable<typename T::value_type>();
  else if constexpr (is_json_reply<T>)
    return is_json_value<decltype(T::value)>();
  else if constexpr (is_created<T>)
    return is_json_value<typename T::value_type>();
  else
    return is_json_value<T>();
}

template <class T>
void write_reply(const request& in, response& out, T&& result) {
  using value = std::remove_cvref_t<T>;
  if constexpr (has_own_reply<value>) {
    reply<value>::write(in, out, std::forward<T>(result));
  } else if constexpr (std::is_same_v<value, response>) {
    write_response(out, std::forward<T>(result));
  } else if constexpr (std::is_same_v<value, no_content>) {
    out.status(status::no_content);
  } else if constexpr (std::is_same_v<value, error>) {
    write_error(in, out, result);
  } else if constexpr (is_result<value>) {
    if (!result)
      write_error(in, out, result.error());
    else if constexpr (std::is_void_v<typename value::value_type>)
      out.status(status::no_content);
    else
      write_reply(in, out, *std::forward<T>(result));
  } else if constexpr (is_json_reply<value>) {
    write_json(out, result.status, type_of<decltype(value::value)>(), &result.value);
  } else if constexpr (is_created<value>) {
    if (const auto& made = result.made())
      write_created(in, out, result.location(), result.collection(), type_of<typename value::value_type>(),
                    &*made);
    else
      write_error(in, out, made.error());
  } else if constexpr (std::is_same_v<value, std::string>) {
    write_text(out, result);
  } else {
    write_json(out, status::ok, type_of<value>(), &result);
  }
}

}  // namespace detail
}  // namespace corbel
