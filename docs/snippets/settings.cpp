#include <doctest/doctest.h>
#include <corbel/app/settings.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace {

// region: types
using namespace std::chrono_literals;

struct http_settings {
  std::uint16_t port = 8080;
  std::chrono::milliseconds request_timeout = 30s;
  corbel::byte_size largest_body{1 << 20};
};
constexpr auto describe(corbel::tag<http_settings>) {
  using namespace corbel::rules;
  using s = http_settings;
  return object(field("port", &s::port, number().min(1).defaulted()),
                field("requestTimeout", &s::request_timeout, defaulted()),
                field("largestBody", &s::largest_body, defaulted()));
}

struct service_settings {
  std::string database_url;
  std::string jwt_secret;
  http_settings http;
  std::vector<std::string> allowed_origins;
  std::optional<std::string> sentry_dsn;
};
constexpr auto describe(corbel::tag<service_settings>) {
  using namespace corbel::rules;
  using s = service_settings;
  return object(field("databaseUrl", &s::database_url), field("jwtSecret", &s::jwt_secret, text().min(32)),
                field("http", &s::http),
                field("allowedOrigins", &s::allowed_origins, list_of(text().url()).defaulted()),
                field("sentryDsn", &s::sentry_dsn, text().url()));
}
// end: types

}  // namespace

TEST_CASE("settings come from variables") {
  // region: read
  corbel::settings::source variables;
  variables.add("DATABASE_URL", "sqlite:app.db").add("JWT_SECRET", "0123456789abcdef0123456789abcdef");
  variables.add("HTTP_REQUEST_TIMEOUT", "5s").add("ALLOWED_ORIGINS", "https://a.example, https://b.example");

  const auto config = corbel::settings::read<service_settings>(variables);
  // end: read
  REQUIRE(config);
  CHECK(config->http.request_timeout == 5s);
  CHECK(config->allowed_origins.size() == 2);
}

TEST_CASE("what is wrong is explained") {
  corbel::settings::source variables;
  variables.add("JWT_SECRET", "short", "the environment").add("HTTP_PORT", "80a", ".env, line 3");
  const auto config = corbel::settings::read<service_settings>(variables);
  REQUIRE_FALSE(config);
  // The page shows this text.
  CHECK(corbel::settings::explain(config.error()) ==
        "This service cannot start: 3 settings need attention.\n"
        "  DATABASE_URL is missing: a text, for example DATABASE_URL=sqlite:app.db.\n"
        "  JWT_SECRET must be at least 32 characters long (set in the environment), for example "
        "JWT_SECRET=\"$(openssl rand -hex 32)\".\n"
        "  HTTP_PORT must be an integer from 0 to 65535 (set in .env, line 3), for example HTTP_PORT=8080.\n"
        "Set them in the environment or in .env, then start it again.\n");
}

namespace {
// region: main
int serve() {
  const auto config = corbel::settings::from_environment<service_settings>();
  // ... start the service on config.http.port
  return config.database_url.empty() ? 1 : 0;
}
// end: main
[[maybe_unused]] const auto named = &serve;
}  // namespace
