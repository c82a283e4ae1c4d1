#pragma once

#include <string>

#include <corbel/base/describe/describe.hpp>
#include <corbel/observe/log.hpp>
#include <corbel/server/settings.hpp>

/// What the environment and `.env` may set: HOST, PORT, THREADS, DRAIN_TIMEOUT, DATABASE_URL and LOG_LEVEL.
struct service_settings : corbel::server_settings {
  std::string database_url = "sqlite:projects.db";
  corbel::log_level log_level = corbel::log_level::info;
};

constexpr auto describe(corbel::tag<service_settings>) {
  using namespace corbel::rules;
  return object(fields_of<corbel::server_settings>(),
                field("databaseUrl", &service_settings::database_url, text().min(1).defaulted()),
                field("logLevel", &service_settings::log_level, defaulted()));
}
