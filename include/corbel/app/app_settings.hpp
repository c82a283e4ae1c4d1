#pragma once

#include <cstddef>
#include <string>

#include <corbel/base/clock.hpp>
#include <corbel/observe/log.hpp>
#include <corbel/routing/router.hpp>
#include <corbel/server/settings.hpp>

namespace corbel {

struct app_settings {
  server_settings server = server_settings();  // `{}` makes GCC 12 warn of members it has initialised
  corbel::trailing_slash trailing_slash = corbel::trailing_slash::strict;
  std::string version = "0.0.0";  ///< of the service; `/health` tells it
  /// Request ids and security headers on every response. Without them, `use` those you want.
  bool default_middleware = true;
  /// Mounts `/health`, `/livez` and `/readyz`.
  bool health_routes = true;
  logger log = log_to_stderr();
  const corbel::clock* clock = &system_clock();  ///< outlives the app
};

}  // namespace corbel
