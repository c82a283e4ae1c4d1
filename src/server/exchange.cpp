#include "server/exchange.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>

#include "corbel/http/handler.hpp"
#include "corbel/http/problem.hpp"
#include "http/body_limit.hpp"
#include "http/request_access.hpp"
#include "server/connection.hpp"

namespace corbel {

namespace asio = boost::asio;

bool has_left(exchange& x) noexcept {
  return request_access(x.in).left_from() == 0;
}

task<bool> turn_of(exchange* x) {
  while (x->owner && !x->owner->can_answer()) co_await asio::post(asio::use_awaitable);
  co_return x->owner != nullptr;
}

std::optional<error> length_refusal(const http1::message_framing& framing, const route_traits& traits) {
  if (framing.content_length <= traits.body_limit) return {};
  return body_too_large(traits.body_limit);
}

task<result<void>> verdict_of(exchange* x) {
  request_access in(x->in);
  const auto body = x->in.body();
  in.body({});
  std::exception_ptr thrown;
  result<void> verdict;
  try {
    verdict = co_await x->route->guard_waiting(x->in);
  } catch (...) {
    thrown = std::current_exception();
  }
  in.body(body);
  if (thrown) co_return problem::from_exception(x->in, thrown);
  if (verdict)
    if (auto refusal = length_refusal(x->framing, x->route->traits())) co_return std::move(*refusal);
  co_return verdict;
}

}  // namespace corbel
