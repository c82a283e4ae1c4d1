#pragma once

#include <memory>
#include <vector>

#include "corbel/server/server.hpp"
#include "server/worker.hpp"

namespace corbel {

struct server::impl {
  impl(server_settings settings, handler& service, const app_context& context);

  void trust_proxies();
  /// What the files hold now, or null, which is in the log then.
  std::shared_ptr<const tls::context> load_tls();

  server_shared shared;
  std::shared_ptr<tls::ticket_keys> tickets;
  std::vector<std::unique_ptr<worker>> workers;
};

}  // namespace corbel
