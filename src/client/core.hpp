#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "client/address_guard.hpp"
#include "corbel/client/outbound.hpp"
#include "corbel/client/response.hpp"
#include "corbel/client/url.hpp"

namespace corbel::outgoing {

class pool;

/// What a client's calls share on all loops: settled when the client is made, but for its end.
struct core {
  explicit core(client_settings s);

  const std::uint64_t id;  ///< no other client of this process ever has it
  const client_settings settings;
  const address_guard guard;
  std::optional<url> proxy;
  std::shared_ptr<boost::asio::ssl::context> tls;
  std::function<result<client_response>(const outbound&)> fake;
  std::atomic<bool> stopping{false};

  /// The pools of all loops, for the client's end alone. A pool leaves the list before its loop is gone.
  std::mutex pools_mutex;
  std::vector<pool*> pools;
};

/// Throws std::invalid_argument when a file cannot be read or used.
std::shared_ptr<boost::asio::ssl::context> make_tls(const client_tls& settings);

/// The calling loop's pool of that client, made at the first call.
std::shared_ptr<pool> pool_here(const std::shared_ptr<core>& owner, boost::asio::execution_context& loop);
/// Closes what is idle in all pools, each on its own loop.
void retire_pools(core& owner);

}  // namespace corbel::outgoing
