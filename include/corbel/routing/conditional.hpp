#pragma once

#include <cstdint>
#include <utility>

#include <corbel/http/conditional.hpp>
#include <corbel/routing/extract.hpp>
#include <corbel/routing/reply.hpp>

namespace corbel {

/// A value with the validators of its state. GET and HEAD are answered 304 or 412 where the request's
/// conditions say so, before the value is made into JSON; replies to other methods carry the validators of
/// the new state, and ask no condition: the handler did, by `preconditions`, before it changed anything.
template <class T>
class tagged {
 public:
  tagged(T value, validators current) : value_(std::move(value)), current_(std::move(current)) {}

  /// Sends Last-Modified, too.
  tagged&& last_modified(timestamp when) && {
    current_.last_modified = when;
    return std::move(*this);
  }

  T& value() noexcept { return value_; }
  const validators& current() const noexcept { return current_; }

 private:
  T value_;
  validators current_;
};

/// `return with_etag(project, project.version);`
template <class T>
tagged<T> with_etag(T value, entity_tag tag) {
  return {std::move(value), validators{std::move(tag), {}, true}};
}
template <class T>
tagged<T> with_etag(T value, std::int64_t version) {
  return with_etag(std::move(value), entity_tag::of_version(version));
}

namespace detail {
/// Whether the conditions of a GET or HEAD have settled the reply.
bool answer_by_conditions(const request& in, const validators& current, response& out);
void set_validators_of_success(const request& in, const validators& current, response& out);
}  // namespace detail

template <class T>
requires(detail::is_replyable<T>() && !is_result<T>) struct reply<tagged<T>> {
  static void write(const request& in, response& out, tagged<T>&& made) {
    if (detail::answer_by_conditions(in, made.current(), out)) return;
    detail::write_reply(in, out, std::move(made.value()));
    detail::set_validators_of_success(in, made.current(), out);
  }
};

/// A handler's parameter: the conditions under which the client wants a change made. To be asked in the same
/// transaction that makes the change, with the state that it found:
///
///     if (auto ok = when.check(entity_tag::of_version(found.version)); !ok) return std::move(ok).error();
///
/// Like `request&` it must not outlive the response.
class preconditions {
 public:
  explicit preconditions(const request& in) : in_(&in) {}

  /// The 412 when the request's conditions do not hold. A request without conditions passes.
  result<void> check(const validators& current) const;
  result<void> check(entity_tag tag) const { return check(validators{std::move(tag), {}, true}); }
  /// The same, and 428 when the request names no state by If-Match or If-Unmodified-Since: so no client
  /// overwrites what it has not seen (RFC 6585, 3).
  result<void> require(const validators& current) const;
  result<void> require(entity_tag tag) const { return require(validators{std::move(tag), {}, true}); }

 private:
  const request* in_;
};

namespace detail {

template <>
struct parameter<preconditions> {
  static constexpr bool known = true;
  struct slot {};
  static void fill(const request&, slot&, extraction&) {}
  static preconditions give(request& in, slot&) { return preconditions(in); }
  static void note(endpoint_contract&) {}
};

}  // namespace detail
}  // namespace corbel
