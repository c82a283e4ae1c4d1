#pragma once

#include <memory>
#include <vector>

#include "corbel/server/server.hpp"
#include "server/worker.hpp"

namespace corbel {

struct server::impl {
  impl(server_settings settings, handler& service, const app_context& context);

  server_shared shared;
  std::vector<std::unique_ptr<worker>> workers;
};

}  // namespace corbel
