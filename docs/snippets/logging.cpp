#include <doctest/doctest.h>
#include <corbel/observe/log.hpp>

#include <chrono>
#include <memory>
#include <string>

TEST_CASE("logging") {
  using namespace std::chrono_literals;
  const auto sink = std::make_shared<corbel::captured_log>();
  const corbel::logger log(sink);
  const auto project_id = corbel::uuid::v7();
  const std::string request_id = "r-1";

  // region: lines
  log.info("project created", {{"projectId", project_id}, {"took", 12ms}});

  const auto request_log = log.with({{"requestId", request_id}});
  request_log.warn("slow query", {{"table", "projects"}, {"rows", 57}});
  request_log.error("could not save", {{"error", corbel::unavailable("The database is away.")}});

  if (log.enabled(corbel::log_level::debug)) log.debug("dear to compute", {{"plan", "..."}});
  // end: lines
  CHECK(sink->lines().size() == 3);
  CHECK(sink->contains(R"("requestId":"r-1","table":"projects","rows":57)"));
}

TEST_CASE("a test looks at the log") {
  // region: capture
  const auto sink = std::make_shared<corbel::captured_log>();
  const corbel::logger log(sink);

  log.info("signed in", {{"user", "ada"}, {"accessToken", "eyJhbGci..."}});

  CHECK(sink->contains(R"("msg":"signed in","user":"ada","accessToken":"***")"));
  // end: capture
}

TEST_CASE("options") {
  // region: options
  corbel::log_options options;
  options.level = corbel::log_level::debug;
  options.format = corbel::log_format::json;  // on a terminal too
  options.secrets.push_back("pin");           // beside password, token, cookie, ...
  options.revealed = {"tokenCount"};          // no secret, though it holds the word
  const auto log = corbel::log_to_stderr(options);
  // end: options
  CHECK(log.enabled(corbel::log_level::debug));
}
