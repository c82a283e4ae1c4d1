#include "net/dial.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "net/failures.hpp"

namespace corbel::net {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

/// A lookup that can be given up. The system's resolver cannot be interrupted: when time is over, its answer
/// comes to nobody.
struct lookup {
  explicit lookup(const asio::any_io_executor& executor) : resolver(executor), over(executor) {}

  tcp::resolver resolver;
  asio::steady_timer over;
  bool answered = false;
  error_code failed;
  std::vector<tcp::endpoint> found;
};

}  // namespace

task<result<std::vector<tcp::endpoint>>> find_addresses(std::string host, std::uint16_t port,
                                                        time_point due) {
  error_code no_literal;
  const auto literal = asio::ip::make_address(host, no_literal);
  if (!no_literal) co_return std::vector<tcp::endpoint>(1, tcp::endpoint(literal, port));
  const auto executor = co_await asio::this_coro::executor;
  const auto asked = std::make_shared<lookup>(executor);
  asked->over.expires_at(due);
  asked->resolver.async_resolve(host, std::to_string(port), tcp::resolver::numeric_service,
                                [asked](const error_code& failed, const tcp::resolver::results_type& found) {
                                  asked->answered = true;
                                  asked->failed = failed;
                                  for (const auto& each : found) asked->found.push_back(each.endpoint());
                                  asked->over.cancel();
                                });
  error_code ignored;
  co_await asked->over.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  if (!asked->answered) {
    asked->resolver.cancel();
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none)
      throw boost::system::system_error(asio::error::operation_aborted);
    co_return timed_out("connect", "the lookup of " + host + " took too long");
  }
  if (asked->failed)
    co_return unreachable("dns_failed", "the lookup of " + host + ": " + asked->failed.message());
  co_return std::move(asked->found);
}

task<result<void>> connect_to_any(std::shared_ptr<stream> to, std::vector<tcp::endpoint> all,
                                  time_point due) {
  result<void> last = unreachable("connect_failed", "the name has no address");
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto now = std::chrono::steady_clock::now();
    const auto left = static_cast<int>(all.size() - i);
    const bool bounded = due != time_point::max();
    // No more than half of the rest for one of several, and never so long that the user waits for IPv6 alone.
    const auto slice = std::min<std::chrono::steady_clock::duration>(
        bounded ? (due - now) / 2 : std::chrono::seconds(2), std::chrono::seconds(2));
    to->deadline(left == 1 ? due : now + slice, "connect");
    last = co_await to->connect(all[i]);
    if (last || now >= due) co_return last;
  }
  co_return last;
}

}  // namespace corbel::net
