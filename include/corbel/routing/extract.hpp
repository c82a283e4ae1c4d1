#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <corbel/base/describe/type_of.hpp>
#include <corbel/base/error.hpp>
#include <corbel/base/result.hpp>
#include <corbel/http/request.hpp>
#include <corbel/http/services.hpp>
#include <corbel/routing/endpoint.hpp>
#include <corbel/runtime/task.hpp>
#include <corbel/schema/merge_patch.hpp>

namespace corbel {

class logger;

/// A text that may be a template argument, as in `path<uuid, "id">`.
template <std::size_t N>
struct fixed_name {
  char text[N]{};
  constexpr fixed_name() = default;
  constexpr fixed_name(const char (&literal)[N]) { std::copy_n(literal, N, text); }
  constexpr std::string_view view() const { return {text, N - 1}; }
};

/// A value taken out of the request, read and checked. It owns its data, so it may outlive the request.
template <class T>
class extracted {
 public:
  using value_type = T;
  extracted() = default;
  explicit extracted(T value) : value_(std::move(value)) {}

  T& operator*() & noexcept { return value_; }
  const T& operator*() const& noexcept { return value_; }
  T&& operator*() && noexcept { return std::move(value_); }
  T* operator->() noexcept { return &value_; }
  const T* operator->() const noexcept { return &value_; }

 private:
  T value_ = T();
};

/// The path parameter of that name; without one, the next parameter that no other extractor takes. T is a
/// scalar: a number, a bool, a text, an enumeration, a uuid, a date, or a type with from_text.
template <class T, fixed_name Name = "">
struct path : extracted<T> {
  using extracted<T>::extracted;
};

/// The whole query string as a described struct of scalars and lists of scalars.
template <class T>
struct query : extracted<T> {
  using extracted<T>::extracted;
};

/// One header. An optional T is empty when the header is absent; any other is refused then.
template <class T, fixed_name Name>
struct header : extracted<T> {
  using extracted<T>::extracted;
};

/// One cookie, likewise, percent-decoded.
template <class T, fixed_name Name>
struct cookie : extracted<T> {
  using extracted<T>::extracted;
};

/// The JSON body as a described type, every rule of its description checked.
template <class T>
struct body : extracted<T> {
  using extracted<T>::extracted;
};

/// A JSON merge patch (RFC 7396) for a T, sent as application/merge-patch+json or application/json: every
/// rule of what it sets is checked already. `apply_to(current)` merges it and checks what spans members.
template <class T>
class merge_body {
 public:
  explicit merge_body(schema::merge_patch<T> patch) : patch_(std::move(patch)) {}
  result<void> apply_to(T& current) const { return patch_.apply_to(current); }
  const schema::merge_patch<T>& operator*() const noexcept { return patch_; }
  const schema::merge_patch<T>* operator->() const noexcept { return &patch_; }

 private:
  schema::merge_patch<T> patch_;
};

/// What the application provides under this type (`app::provide`). It is there: the start is refused
/// otherwise.
template <class T>
class state {
 public:
  explicit state(T& object) : object_(&object) {}
  T& operator*() const noexcept { return *object_; }
  T* operator->() const noexcept { return object_; }

 private:
  T* object_;
};

/// What went wrong while the arguments of one handler were taken out of the request. An outright refusal goes
/// before broken rules; of those, every one is reported.
class extraction {
 public:
  void refuse(error e) {
    if (!refused_) refused_ = std::move(e);
  }
  void add(violation v) { violations_.push_back(std::move(v)); }
  std::vector<violation>& violations() noexcept { return violations_; }
  /// Takes over the error of a part: the violations of an `invalid`, anything else as a refusal.
  void add(error e);

  bool refused() const noexcept { return refused_.has_value(); }
  bool failed() const noexcept { return refused_ || !violations_.empty(); }
  /// Precondition: failed().
  error take() &&;

 private:
  std::optional<error> refused_;
  std::vector<violation> violations_;
};

/// How a handler's parameter is made. Specialise it for a type of your own:
///
///     template <>
///     struct corbel::extractor<principal> {
///       static constexpr bool guards = true;
///       static corbel::result<principal> extract(const corbel::request& in);
///     };
///
/// `extract` may return a `task<result<principal>>` instead, when it asks a database or another service; what
/// it needs of the application it finds in `in.services()`. With `guards`, it decides before the body is
/// received and before the layers are entered: `in.body()` is empty then, and a refused upload is not taken.
/// Without, it runs with the handler's other parameters, and what is wrong with them is reported together.
template <class T>
struct extractor;

namespace detail {

/// Which path parameter an extractor means: the one of that name; without a name, the `position`-th of those
/// whose name is not in `taken`.
struct path_choice {
  std::string_view name;
  std::size_t position = 0;
  std::span<const std::string_view> taken;
};

void read_path(const request& in, const path_choice& which, const type_descriptor& type, void* out,
               extraction& failed);
void read_query(const request& in, const type_descriptor& type, void* out, extraction& failed);
/// For a query string that cannot be decoded.
error broken_query();
void read_header(const request& in, std::string_view name, const type_descriptor& type, void* out,
                 extraction& failed);
void read_cookie(const request& in, std::string_view name, const type_descriptor& type, void* out,
                 extraction& failed);
/// Whether the body is all of what it stands for: a refusal for a PUT with Content-Range (RFC 9110, 14.5).
bool expect_whole(const request& in, extraction& failed);
/// Whether the body is what was sent, or what a middleware has decoded; a refusal when it has a
/// Content-Encoding still.
bool expect_plain(const request& in, extraction& failed);
/// Whether the body is there, plain, and JSON; a refusal otherwise.
bool expect_json(const request& in, extraction& failed);
void read_body(const request& in, const type_descriptor& type, void* out, extraction& failed);

/// What one parameter of a handler is and how it is filled: `slot` is what stands in until the call.
template <class P>
struct parameter {
  static constexpr bool known = false;
};

/// What a guarding extractor of P has made, kept in the request until the handler is called.
template <class P>
struct guarded {
  std::optional<P> value;
};

template <class P>
struct extracted_parameter {
  static constexpr bool known = true;
  static constexpr bool guards = requires { requires extractor<P>::guards; };
  using slot = std::optional<P>;
  static P give(request&, slot& from) { return std::move(*from); }
  static void note(endpoint_contract&) {}

  static void keep(result<P> made, slot& into, extraction& failed) {
    if (made)
      into.emplace(std::move(*made));
    else
      failed.add(std::move(made).error());
  }
  static result<void> keep(result<P> made, request& in) {
    if (!made) return std::move(made).error();
    in.emplace(guarded<P>{std::optional<P>(std::move(*made))});
    return {};
  }
  /// Whether a guard has made it already, and not given it yet.
  static bool take(const request& in, slot& into) {
    auto* const kept = guards ? in.find<guarded<P>>() : nullptr;
    if (!kept || !kept->value) return false;
    into = std::exchange(kept->value, std::nullopt);
    return true;
  }
};

template <class P>
requires requires(const request& in) {
  { extractor<P>::extract(in) } -> std::same_as<result<P>>;
}
struct parameter<P> : extracted_parameter<P> {
  using made = extracted_parameter<P>;
  static result<void> guard(request& in) { return made::keep(extractor<P>::extract(in), in); }
  static void fill(const request& in, typename made::slot& into, extraction& failed) {
    if (!made::take(in, into)) made::keep(extractor<P>::extract(in), into, failed);
  }
};

template <class P>
requires requires(request& in) {
  { extractor<P>::extract(in) } -> std::same_as<task<result<P>>>;
}
struct parameter<P> : extracted_parameter<P> {
  using made = extracted_parameter<P>;
  static task<result<void>> guard(request& in) {
    auto got = co_await extractor<P>::extract(in);
    co_return made::keep(std::move(got), in);
  }
  static task<> prepare(request& in, typename made::slot& into, extraction& failed) {
    if (made::take(in, into)) co_return;
    auto got = co_await extractor<P>::extract(in);
    made::keep(std::move(got), into, failed);
  }
};

template <>
struct parameter<request&> {
  static constexpr bool known = true;
  struct slot {};
  static void fill(const request&, slot&, extraction&) {}
  static request& give(request& in, slot&) { return in; }
  static void note(endpoint_contract&) {}
};
template <>
struct parameter<const request&> : parameter<request&> {};

/// The application's log with the request's id on every line. A value: hand it on to what the handler calls.
template <>
struct parameter<logger> {
  static constexpr bool known = true;
  struct slot {};
  static void fill(const request&, slot&, extraction&) {}
  static logger give(request& in, slot&);
  static void note(endpoint_contract&) {}
};

template <class P>
struct value_parameter {
  static constexpr bool known = true;
  using slot = P;
  static P give(request&, slot& from) { return std::move(from); }
  static void note(endpoint_contract&) {}
};

/// What one text can be read as.
template <class T>
concept one_text = (std::is_arithmetic_v<T> && !std::is_same_v<T, char>) || std::is_same_v<T, std::string> ||
                   std::is_same_v<T, timestamp> || std::is_same_v<T, date> || std::is_same_v<T, uuid> ||
                   text_scalar<T> || (std::is_enum_v<T> && described<T>);

template <class T>
inline constexpr bool is_one_text = one_text<T>;
template <class T>
inline constexpr bool is_one_text<std::optional<T>> = one_text<T>;

template <class T, fixed_name Name>
struct parameter<path<T, Name>> : value_parameter<path<T, Name>> {
  static_assert(
      one_text<T>,
      "corbel: path<T> takes a number, a bool, a std::string, a described enumeration, a uuid, a date, "
      "a timestamp or a type with from_text, never a view or an optional");
  static constexpr std::string_view name = Name.view();
  static void fill(const request& in, path<T, Name>& into, extraction& failed, const path_choice& which) {
    if constexpr (one_text<T>) read_path(in, which, type_of<T>(), &*into, failed);
  }
  static void note(endpoint_contract& c) { c.path_params.push_back(Name.view()); }
};
template <class T>
struct parameter<query<T>> : value_parameter<query<T>> {
  static void fill(const request& in, query<T>& into, extraction& failed) {
    read_query(in, type_of<T>(), &*into, failed);
  }
  static void note(endpoint_contract& c) {
    c.inputs.push_back(&type_of<T>());
    c.field_inputs.push_back(&type_of<T>());
  }
};
template <class T, fixed_name Name>
struct parameter<header<T, Name>> : value_parameter<header<T, Name>> {
  static_assert(
      is_one_text<T>,
      "corbel: header<T, \"name\"> takes a number, a bool, a std::string, a described enumeration, a uuid, a "
      "date, a timestamp, a type with from_text, or an optional of these, never a view");
  static void fill(const request& in, header<T, Name>& into, extraction& failed) {
    if constexpr (is_one_text<T>) read_header(in, Name.view(), type_of<T>(), &*into, failed);
  }
};
template <class T, fixed_name Name>
struct parameter<cookie<T, Name>> : value_parameter<cookie<T, Name>> {
  static_assert(
      is_one_text<T>,
      "corbel: cookie<T, \"name\"> takes a number, a bool, a std::string, a described enumeration, a uuid, a "
      "date, a timestamp, a type with from_text, or an optional of these, never a view");
  static void fill(const request& in, cookie<T, Name>& into, extraction& failed) {
    if constexpr (is_one_text<T>) read_cookie(in, Name.view(), type_of<T>(), &*into, failed);
  }
};
template <class T>
struct parameter<body<T>> : value_parameter<body<T>> {
  static constexpr bool whole_body = true;
  static void fill(const request& in, body<T>& into, extraction& failed) {
    read_body(in, type_of<T>(), &*into, failed);
  }
  static void note(endpoint_contract& c) { c.inputs.push_back(&type_of<T>()); }
};
template <class T>
struct parameter<merge_body<T>> {
  static constexpr bool known = true;
  static constexpr bool whole_body = true;
  using slot = std::optional<merge_body<T>>;
  static void fill(const request& in, slot& into, extraction& failed) {
    if (!expect_json(in, failed)) return;
    auto read = schema::merge_patch<T>::parse(std::string(in.body()));
    if (read)
      into.emplace(std::move(*read));
    else
      failed.add(std::move(read).error());
  }
  static merge_body<T> give(request&, slot& from) { return std::move(*from); }
  static void note(endpoint_contract& c) { c.inputs.push_back(&type_of<T>()); }
};
template <class T>
struct parameter<state<T>> {
  static constexpr bool known = true;
  using slot = T*;
  static void fill(const request& in, slot& into, extraction&) { into = in.services().find<T>(); }
  static state<T> give(request&, slot& from) { return state<T>(*from); }
  static void note(endpoint_contract& c) { c.services.push_back({key_of<T>(), name_of_type<T>()}); }
};

template <class P>
inline constexpr bool is_path = false;
template <class T, fixed_name Name>
inline constexpr bool is_path<path<T, Name>> = true;

}  // namespace detail
}  // namespace corbel
