#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <corbel/base/result.hpp>
#include <corbel/http/request.hpp>
#include <corbel/http/response.hpp>
#include <corbel/runtime/task.hpp>

namespace corbel {

/// What a `before` hook decides.
enum class flow : bool {
  proceed,  ///< on to the next one
  stop,     ///< the hook has written the response: back through the hooks already passed
};

/// The rest of the pipeline behind an around middleware. Call it once, at most.
class next {
 public:
  /// The response of everything behind; it never throws for a failure in there.
  task<response> operator()() const { return run_(pipeline_, index_, in_); }

 private:
  friend class pipeline;
  using runner = task<response> (*)(const void* pipeline, std::size_t index, request* in);
  next(runner run, const void* pipeline, std::size_t index, request* in)
      : run_(run), pipeline_(pipeline), index_(index), in_(in) {}
  runner run_;
  const void* pipeline_;
  std::size_t index_;
  request* in_;
};

/// Limits that a middleware sets for the routes behind it.
struct route_limits {
  std::optional<std::size_t> body;                ///< bytes
  std::optional<std::chrono::milliseconds> time;  ///< for the handler, when it waits
  bool never_shed = false;                        ///< served also while the server sheds load
};

/// One layer of the pipeline, erased. One object serves all threads at once: its functions are const, and
/// whatever they share must be thread-safe.
///
/// A response passes the `after` of every layer that it lies behind, once, from the inside out. What the
/// handler or the server answers lies behind all layers of the route; what a layer answers lies behind that
/// layer and those outside it.
class middleware {
 public:
  virtual ~middleware() = default;
  /// Decides from the head whether the request is served, before its body is received and before any
  /// `before`. An error refuses it. Only when `guards()`; when `guard_waits()` too, `guard_waiting` is called
  /// instead.
  virtual result<void> guard(request&) const { return {}; }
  virtual task<result<void>> guard_waiting(request& head) const { return allow(head); }
  virtual bool guards() const noexcept { return false; }
  virtual bool guard_waits() const noexcept { return false; }
  /// Prepares: leaves values for what lies behind, sets fields of the response, or answers itself. It also
  /// runs for a request that the server refuses, whose answer it cannot change: `after` may rely on what it
  /// left.
  virtual flow before(request&, response&) const { return flow::proceed; }
  virtual void after(const request&, response&) const {}
  /// Surrounds what lies behind it, between this layer's own `before` and `after`. Only when `waits()`. The
  /// server's refusals wait for nobody, so they do not pass here.
  virtual task<response> around(request& in, next rest) const { return pass(in, rest); }
  virtual bool waits() const noexcept { return false; }
  /// Whether `before`, and `after`, do anything: what does not is not called.
  virtual bool enters() const noexcept { return true; }
  virtual bool leaves() const noexcept { return true; }
  virtual route_limits limits() const { return {}; }
  /// What is wrong with its settings; each stops the start.
  virtual std::vector<std::string> mistakes() const { return {}; }

 private:
  static task<response> pass(request&, next rest) { co_return co_await rest(); }
  static task<result<void>> allow(request&) { co_return result<void>{}; }
};

namespace detail {

template <class M>
concept has_guard = requires(const M& m, request& in) {
  { m.guard(in) } -> std::same_as<result<void>>;
};
template <class M>
concept has_waiting_guard = requires(const M& m, request& in) {
  { m.guard(in) } -> std::same_as<task<result<void>>>;
};
template <class M>
concept has_before = requires(const M& m, request& in, response& out) {
  { m.before(in, out) } -> std::same_as<flow>;
};
template <class M>
concept has_after = requires(const M& m, const request& in, response& out) {
  m.after(in, out);
};
template <class M>
concept has_around = requires(const M& m, request& in, next rest) {
  { m.around(in, rest) } -> std::same_as<task<response>>;
};
template <class M>
concept is_around = requires(const M& m, request& in, next rest) {
  { m(in, rest) } -> std::same_as<task<response>>;
};

// A function of one of these names that does not fit would be passed over without a word.
struct named_guard {
  int guard;
};
template <class M>
struct beside_guard : M, named_guard {};
/// Also one that is overloaded or private: a guard must never be passed over without a word. Of two members
/// of one name, neither is found.
template <class M>
concept names_guard =
    (std::is_class_v<M> && !std::is_final_v<M> && !requires { &beside_guard<M>::guard; }) || requires {
  &M::guard;
};
template <class M>
concept names_before = requires {
  &M::before;
};
template <class M>
concept names_after = requires {
  &M::after;
};
template <class M>
concept names_around = requires {
  &M::around;
};

// One that lacks nothing but const is told so, not that it has another signature.
template <class M>
concept lacks_const = (!has_guard<M> &&
                       requires(M & m, request& in) {
                         { m.guard(in) } -> std::same_as<result<void>>;
                       }) ||
                      (!has_waiting_guard<M> &&
                       requires(M & m, request& in) {
                         { m.guard(in) } -> std::same_as<task<result<void>>>;
                       }) ||
                      (!has_before<M> &&
                       requires(M & m, request& in, response& out) {
                         { m.before(in, out) } -> std::same_as<flow>;
                       }) ||
                      (!has_after<M> &&
                       requires(M & m, const request& in, response& out) { m.after(in, out); }) ||
                      (!has_around<M> &&
                       requires(M & m, request& in, next rest) {
                         { m.around(in, rest) } -> std::same_as<task<response>>;
                       }) ||
                      (!is_around<M> && requires(M & m, request& in, next rest) {
                        { m(in, rest) } -> std::same_as<task<response>>;
                      });

template <class M>
class middleware_of final : public middleware {
 public:
  explicit middleware_of(M m) : m_(std::move(m)) {}
  result<void> guard(request& in) const override {
    if constexpr (has_guard<M>)
      return m_.guard(in);
    else
      return middleware::guard(in);
  }
  task<result<void>> guard_waiting(request& in) const override {
    if constexpr (has_waiting_guard<M>)
      return m_.guard(in);
    else
      return middleware::guard_waiting(in);
  }
  bool guards() const noexcept override { return has_guard<M> || has_waiting_guard<M>; }
  bool guard_waits() const noexcept override { return has_waiting_guard<M>; }
  flow before(request& in, response& out) const override {
    if constexpr (has_before<M>) return m_.before(in, out);
    return flow::proceed;
  }
  void after(const request& in, response& out) const override {
    if constexpr (has_after<M>) m_.after(in, out);
  }
  task<response> around(request& in, next rest) const override {
    if constexpr (has_around<M>)
      return m_.around(in, rest);
    else if constexpr (is_around<M>)
      return m_(in, rest);
    else
      return middleware::around(in, rest);
  }
  bool waits() const noexcept override { return has_around<M> || is_around<M>; }
  bool enters() const noexcept override { return has_before<M>; }
  bool leaves() const noexcept override { return has_after<M>; }
  route_limits limits() const override {
    if constexpr (requires { m_.limits(); }) return m_.limits();
    return {};
  }
  std::vector<std::string> mistakes() const override {
    if constexpr (requires { m_.mistakes(); }) return m_.mistakes();
    return {};
  }

 private:
  M m_;
};

}  // namespace detail

/// Makes a layer of anything that has some of
///   `result<void> guard(request&) const`              (decides from the head, before the body; may be a
///   task) `flow before(request&, response&) const`          (no waiting; may answer by itself) `void
///   after(const request&, response&) const`     (no waiting; sees every response, refusals included)
///   `task<response> around(request&, next) const`     (may wait)
///   `route_limits limits() const`
/// or is a function `(request&, next) -> task<response>`. A layer that does not wait costs a function call.
template <class M>
std::shared_ptr<const middleware> make_middleware(M m) {
  if constexpr (std::derived_from<M, middleware>) {
    return std::make_shared<M>(std::move(m));
  } else {
    constexpr bool fits = detail::has_guard<M> || detail::has_waiting_guard<M> || detail::has_before<M> ||
                          detail::has_after<M> || detail::has_around<M> || detail::is_around<M> || requires {
      m.limits();
    };
    constexpr bool is_const = !detail::lacks_const<M>;
    static_assert(is_const,
                  "corbel: a middleware's functions are const, since one object serves all threads at once; "
                  "write const behind the parameters (of a lambda, leave mutable out), and keep what changes "
                  "in a std::atomic or behind a mutex");
    static_assert(!is_const || fits,
                  "corbel: a middleware has guard(request&) const -> result<void> or task<result<void>>, "
                  "before(request&, response&) const -> flow, after(const request&, response&) const, "
                  "around(request&, next) const -> task<response>, or limits() const; this type has none of "
                  "them");
    constexpr bool well_written =
        (!detail::names_guard<M> || detail::has_guard<M> || detail::has_waiting_guard<M>)&&(
            !detail::names_before<M> ||
            detail::has_before<M>)&&(!detail::names_after<M> ||
                                     detail::has_after<M>)&&(!detail::names_around<M> ||
                                                             detail::has_around<M>);
    static_assert(
        !is_const || !fits || well_written,
        "corbel: a middleware's functions are guard(request&) const -> result<void> or task<result<void>>, "
        "before(request&, response&) const -> flow, after(const request&, response&) const and "
        "around(request&, next) const -> task<response>; this type has one of these names with another "
        "signature");
    if constexpr (is_const && fits && well_written)
      return std::make_shared<detail::middleware_of<M>>(std::move(m));
    else
      return nullptr;
  }
}

}  // namespace corbel
