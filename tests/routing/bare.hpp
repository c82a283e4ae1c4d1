#pragma once

#include <functional>
#include <memory>
#include <string>

#include "corbel/app/app.hpp"

/// An app without anything of its own: no default middleware, no health routes, a log that is kept.
inline corbel::app_settings bare(std::shared_ptr<corbel::captured_log> log = {}) {
  corbel::app_settings settings;
  settings.default_middleware = false;
  settings.health_routes = false;
  settings.log = log ? corbel::logger(log) : corbel::logger();
  return settings;
}
