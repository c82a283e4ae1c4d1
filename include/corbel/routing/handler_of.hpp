#pragma once

#include <array>
#include <memory>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <corbel/routing/endpoint.hpp>
#include <corbel/routing/extract.hpp>
#include <corbel/routing/reply.hpp>

namespace corbel::detail {

template <class R, class... Ps>
struct signature_of {
  using returned = R;
  using parameters = std::tuple<Ps...>;
};

/// The signature of a function pointer or of an object with one call operator; void for anything else.
template <class F>
struct call_signature {
  using type = void;
};
template <class F>
requires requires {
  &F::operator();
}
struct call_signature<F> : call_signature<decltype(&F::operator())> {};
template <class R, class... Ps>
struct call_signature<R (*)(Ps...)> {
  using type = signature_of<R, Ps...>;
};
template <class R, class... Ps>
struct call_signature<R (*)(Ps...) noexcept> : call_signature<R (*)(Ps...)> {};
template <class R, class C, class... Ps>
struct call_signature<R (C::*)(Ps...) const> : call_signature<R (*)(Ps...)> {};
template <class R, class C, class... Ps>
struct call_signature<R (C::*)(Ps...) const noexcept> : call_signature<R (*)(Ps...)> {};

template <class R>
struct unwrap_task {
  using type = R;
};
template <class T, class Executor>
struct unwrap_task<boost::asio::awaitable<T, Executor>> {
  using type = T;
};

template <class P>
constexpr bool is_parameter = parameter<P>::known;

/// Whether an extractor of P reads the body while it arrives: it says so by `static constexpr bool streams`.
template <class P>
constexpr bool reads_stream = requires {
  requires parameter<P>::streams;
};
template <class P>
constexpr bool reads_whole = requires {
  requires parameter<P>::whole_body;
};
/// Whether P is filled by waiting: it has `static task<> prepare(request&, slot&, extraction&)` in place of
/// `fill`. The handler itself may be a plain function.
template <class P>
constexpr bool is_prepared = requires(request& in, typename parameter<P>::slot& into, extraction& failed) {
  { parameter<P>::prepare(in, into, failed) } -> std::same_as<task<>>;
};

/// Whether P is made by an extractor that decides before the body is received; and whether that one waits.
template <class P>
constexpr bool is_guard = requires {
  requires parameter<P>::guards;
};
template <class P>
constexpr bool is_waiting_guard = is_guard<P>&& is_prepared<P>;

/// Extraction, call and reply of one handler.
template <class F, class Signature>
class typed_endpoint;

template <class F, class R, class... Ps>
class typed_endpoint<F, signature_of<R, Ps...>> final : public endpoint {
 public:
  explicit typed_endpoint(F f) : f_(std::move(f)) {}

  bool waits() const noexcept override { return is_task<R> || prepares; }
  bool streams_body() const noexcept override { return (reads_stream<Ps> || ...); }
  bool guards() const noexcept override { return (is_guard<Ps> || ...); }
  bool guard_waits() const noexcept override { return (is_waiting_guard<Ps> || ...); }

  result<void> guard(request& in) const override {
    result<void> verdict;
    (void)(guard_one<Ps>(in, verdict) && ...);
    return verdict;
  }
  task<result<void>> guard_waiting(request& in) const override {
    if constexpr ((is_waiting_guard<Ps> || ...)) {
      constexpr std::size_t n = sizeof...(Ps);
      // One behind the other, as the handler names them.
      task<result<void>> (*const each[n])(request&) = {&guard_one_waiting<Ps>...};
      for (const auto ask : each)
        if (auto verdict = co_await ask(in); !verdict) co_return verdict;
      co_return result<void>{};
    } else {
      co_return guard(in);
    }
  }

  void serve(request& in, response& out) const override {
    if constexpr (!is_task<R> && !prepares) {
      slots args{};
      if constexpr (sizeof...(Ps) > 0) {
        extraction failed;
        if (!fill(in, args, failed, out)) return;
      }
      reply_at_once(in, args, out);
    }
  }

  task<void> serve_waiting(request& in, response& out) const override {
    slots args{};
    extraction failed;
    if constexpr (prepares) co_await prepare(in, args, failed, std::index_sequence_for<Ps...>{});
    if (!fill(in, args, failed, out)) co_return;
    if constexpr (is_task<R>) {
      auto running = call(in, args, std::index_sequence_for<Ps...>{});
      if constexpr (std::is_void_v<typename unwrap_task<R>::type>) {
        co_await std::move(running);
        out.status(status::no_content);
      } else {
        auto result = co_await std::move(running);
        write_reply(in, out, std::move(result));
      }
    } else {
      reply_at_once(in, args, out);
    }
  }

  endpoint_contract contract() const override {
    endpoint_contract made;
    (parameter<Ps>::note(made), ...);
    return made;
  }

 private:
  using slots = std::tuple<typename parameter<Ps>::slot...>;
  static constexpr bool prepares = (is_prepared<Ps> || ...);

  void reply_at_once(request& in, slots& args, response& out) const {
    std::apply(
        [&](auto&... each) {
          if constexpr (std::is_void_v<R>) {
            f_(parameter<Ps>::give(in, each)...);
            out.status(status::no_content);
          } else {
            write_reply(in, out, f_(parameter<Ps>::give(in, each)...));
          }
        },
        args);
  }

  R call(request& in, slots& args, auto indices) const {
    return [&]<std::size_t... I>(std::index_sequence<I...>)->R {
      return f_(parameter<Ps>::give(in, std::get<I>(args))...);
    }
    (indices);
  }

  /// One behind the other, as the handler names them.
  template <std::size_t... I>
  static task<> prepare(request& in, slots& args, extraction& failed, std::index_sequence<I...>) {
    std::array<task<>, sizeof...(Ps)> waits;
    (prepare_one<Ps, I>(in, args, failed, waits[I]), ...);
    for (auto& each : waits)
      if (each.valid() && !failed.refused()) co_await std::move(each);
  }
  template <class P, std::size_t I>
  static void prepare_one(request& in, slots& args, extraction& failed, task<>& wait) {
    if constexpr (is_prepared<P>) wait = parameter<P>::prepare(in, std::get<I>(args), failed);
  }

  template <class P>
  static bool guard_one(request& in, result<void>& verdict) {
    if constexpr (is_guard<P> && !is_waiting_guard<P>) verdict = parameter<P>::guard(in);
    return verdict.has_value();
  }
  template <class P>
  static task<result<void>> guard_one_waiting(request& in) {
    if constexpr (is_waiting_guard<P>)
      co_return co_await parameter<P>::guard(in);
    else if constexpr (is_guard<P>)
      co_return parameter<P>::guard(in);
    else
      co_return result<void>{};
  }

  static bool fill(const request& in, slots& args, extraction& failed, response& out) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (fill_one<Ps, I>(in, std::get<I>(args), failed), ...);
    }
    (std::index_sequence_for<Ps...>{});
    if (!failed.failed()) return true;
    write_error(in, out, std::move(failed).take());
    return false;
  }

  template <class P, std::size_t I>
  static void fill_one(const request& in, typename parameter<P>::slot& into, extraction& failed) {
    if constexpr (is_path<P>)
      parameter<P>::fill(in, into, failed, {path_names[I], unnamed_before(I), path_names});
    else if constexpr (!is_prepared<P>)
      parameter<P>::fill(in, into, failed);
  }

  template <class P>
  static constexpr std::string_view path_name() {
    if constexpr (is_path<P>)
      return parameter<P>::name;
    else
      return {};
  }
  /// For each parameter, the name that it asks for; empty when it is no path or has none.
  static constexpr std::array<std::string_view, sizeof...(Ps) + 1> path_names{path_name<Ps>()..., {}};

  static constexpr std::size_t unnamed_before(std::size_t end) {
    constexpr bool paths[] = {is_path<Ps>..., false};
    std::size_t n = 0;
    for (std::size_t i = 0; i < end; ++i) n += paths[i] && path_names[i].empty();
    return n;
  }

  F f_;
};

template <class F, class R, class... Ps>
std::shared_ptr<const endpoint> checked_endpoint(F f, signature_of<R, Ps...>) {
  constexpr bool takes = (is_parameter<Ps> && ...);
  static_assert(
      takes,
      "corbel: a handler takes path<T, \"name\">, query<T>, header<T, \"Name\">, cookie<T, \"name\">, "
      "body<T>, form<T>, multipart<T>, multipart_stream, "
      "body_stream, state<T>, logger, request& or a type with a corbel::extractor of its own, each by value "
      "but the "
      "request; a "
      "parameter of this handler is none of these");
  constexpr bool gives = is_replyable<typename unwrap_task<R>::type>();
  static_assert(
      !takes || gives,
      "corbel: a handler returns a described type, std::string, response, created<T>, json_reply<T>, "
      "no_content, void, error, a result<> of these, a task<> of any, or a type with a corbel::reply of its "
      "own; this handler's result is none of these, so describe its type, in the namespace of the "
      "type, or convert it");
  constexpr bool one_way = (0 + ... + int(reads_stream<Ps> || reads_whole<Ps>)) <= 1;
  static_assert(!takes || !gives || one_way,
                "corbel: a handler takes the body once: as body<T>, merge_body<T>, body_stream or another "
                "reader of it; leave all but one of these parameters out");
  constexpr bool can_wait = is_task<R> || !((reads_stream<Ps> && !is_prepared<Ps>) || ...);
  static_assert(!takes || !gives || can_wait,
                "corbel: a handler that takes the body while it arrives has to wait for it; return task<...> "
                "and co_await its pieces");
  constexpr bool safe = !is_task<R> || !std::is_class_v<F> || std::is_empty_v<F>;
  static_assert(
      !takes || !gives || safe,
      "corbel: a coroutine handler must not be a lambda that captures, since a coroutine does not keep its "
      "captures alive; take what it needs as a state<T> parameter instead");
  if constexpr (takes && gives && one_way && can_wait && safe)
    return std::make_shared<typed_endpoint<F, signature_of<R, Ps...>>>(std::move(f));
  else
    return nullptr;
}

}  // namespace corbel::detail

namespace corbel {

/// Makes the last stage of a pipeline from a function or a function object, by its signature alone; an
/// endpoint of one's own is taken as it is.
template <class F>
requires(!std::is_base_of_v<endpoint, F>) std::shared_ptr<const endpoint> make_endpoint(F f) {
  using found = typename detail::call_signature<F>::type;
  constexpr bool is_member = std::is_member_pointer_v<F>;
  static_assert(
      !is_member,
      "corbel: a member function has no object to run on here; write a handler that takes one as "
      "state<T> and calls it: [](state<T> self, path<uuid, \"id\"> id) { return self->find(*id); }");
  static_assert(is_member || !std::is_void_v<found>,
                "corbel: a handler is a function or an object with one call operator that is const and no "
                "template; write "
                "the parameter types out instead of auto");
  if constexpr (!std::is_void_v<found>)
    return detail::checked_endpoint(std::move(f), found{});
  else
    return nullptr;
}

template <class E>
requires(std::is_base_of_v<endpoint, E>) std::shared_ptr<const endpoint> make_endpoint(E end) {
  return std::make_shared<const E>(std::move(end));
}

}  // namespace corbel
