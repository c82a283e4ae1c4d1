#include "server/exchange.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

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

}  // namespace corbel
