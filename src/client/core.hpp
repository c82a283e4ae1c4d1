#pragma once

#include <atomic>
#include <boost/asio/ssl/context.hpp>
#include <functional>
#include <memory>
#include <optional>

#include "corbel/client/outbound.hpp"
#include "corbel/client/response.hpp"
#include "corbel/client/settings.hpp"
#include "corbel/client/url.hpp"
#include "corbel/runtime/loop_local.hpp"
#include "net/address_guard.hpp"

namespace corbel::outgoing {

class pool;
struct pool_place;

/// What a client's calls share on all loops: settled when the client is made, but for its end.
struct core {
  explicit core(client_settings s);

  const client_settings settings;
  const net::address_guard guard;
  std::optional<url> proxy;
  std::shared_ptr<boost::asio::ssl::context> tls;
  std::function<result<client_response>(const outbound&)> fake;
  std::atomic<bool> stopping{false};
  loop_local<pool_place> pools;
};

/// What the settings say, for `net/`.
net::guard_rules guard_rules_of(const client_settings& settings);
/// Throws std::invalid_argument when a file cannot be read or used.
std::shared_ptr<boost::asio::ssl::context> make_tls(const client_tls& settings);

/// The loop's pool of that client, made at the first call. From the loop's thread.
std::shared_ptr<pool> pool_on(event_loop& loop, const std::shared_ptr<core>& owner);
/// Closes what is idle on all loops, each in its own turn. Calls under way end as they would.
void retire_pools(core& owner);

}  // namespace corbel::outgoing
