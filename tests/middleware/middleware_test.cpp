#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <string>

#include "corbel/app/app.hpp"
#include "corbel/middleware/access_log.hpp"
#include "corbel/middleware/request_id.hpp"
#include "corbel/middleware/security_headers.hpp"

using namespace corbel;

namespace {

app_settings plain(std::shared_ptr<captured_log> log = {}) {
  app_settings settings;
  settings.log = log ? logger(log) : logger();
  return settings;
}

}  // namespace

TEST_CASE("a valid id is echoed, any other replaced") {
  app a(plain());
  a.get("/", [](const request& in) { return std::string(in.id()); });
  for (const auto& good : {std::string("a"), std::string("A-z_0.9"), std::string(128, 'x')}) {
    const auto out = a.inject(get("/").header("X-Request-Id", good));
    CHECK(out.header("X-Request-Id") == good);
    CHECK(out.body() == good);
  }
  std::set<std::string> seen;
  for (const auto& bad :
       {std::string(), std::string(129, 'x'), std::string("a b"), std::string("a\"b"), std::string("a/b"),
        std::string("\xc3\xa4"), std::string("a,b"), std::string("a:b")}) {
    const auto out = a.inject(get("/").header("X-Request-Id", bad));
    const std::string made(out.header("X-Request-Id").value());
    CHECK(made.size() == 36);
    CHECK(made[14] == '7');
    CHECK(out.body() == made);
    CHECK(seen.insert(made).second);
  }
}

TEST_CASE("the id is on every answer, in every envelope, and on the log's lines") {
  const auto log = std::make_shared<captured_log>();
  app a(plain(log));
  a.use(access_log{});
  a.get("/throws", []() -> std::string { throw std::runtime_error("inside"); });
  for (const std::string target : {"/throws", "/missing", "/%zz", "bad target"}) {
    log->clear();
    const auto out = a.inject(get(target).header("X-Request-Id", "the-id"));
    CAPTURE(target);
    CHECK(out.code() >= 400);
    const std::string id(out.header("X-Request-Id").value());
    CHECK(nlohmann::json::parse(out.body())["requestId"] == id);
    REQUIRE_FALSE(log->lines().empty());
    for (const auto& line : log->lines()) CHECK(nlohmann::json::parse(line)["requestId"] == id);
  }
}

TEST_CASE("the access log has one line for each answer, without the query") {
  const auto log = std::make_shared<captured_log>();
  app a(plain(log));
  a.use(access_log{});
  a.get("/ok", [] { return std::string("12345"); });
  a.get("/fails", []() -> result<std::string> { return unavailable("later"); });
  const auto line = [&](const std::string& target) {
    log->clear();
    (void)a.inject(get(target));
    REQUIRE(log->lines().size() == 1);
    return nlohmann::json::parse(log->lines()[0]);
  };
  const auto ok = line("/ok?token=secret");
  CHECK(ok["level"] == "info");
  CHECK(ok["path"] == "/ok");
  CHECK(ok["status"] == 200);
  CHECK(ok["bytes"] == 5);
  CHECK(ok["method"] == "GET");
  CHECK(ok["durationMs"].get<double>() >= 0);
  CHECK(ok["durationMs"].get<double>() < 10'000);
  CHECK(ok.dump().find("secret") == std::string::npos);
  CHECK(line("/missing")["level"] == "warn");
  CHECK(line("/fails")["level"] == "error");
}

TEST_CASE("security headers are on every answer, and yield to the handler's own") {
  app a(plain());
  a.get("/", [] { return std::string(); });
  a.get("/own", [] {
    auto out = text_response("");
    out.set("x-frame-options", "DENY");
    return out;
  });
  for (const std::string target : {"/", "/missing", "bad target"}) {
    const auto out = a.inject(get(target));
    for (const auto* name :
         {"Content-Security-Policy", "Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy",
          "Origin-Agent-Cluster", "Referrer-Policy", "Strict-Transport-Security", "X-Content-Type-Options",
          "X-DNS-Prefetch-Control", "X-Download-Options", "X-Frame-Options",
          "X-Permitted-Cross-Domain-Policies", "X-XSS-Protection"})
      CHECK_MESSAGE(out.header(name), name);
    CHECK_FALSE(out.header("X-Powered-By"));
  }
  const auto own = a.inject(get("/own"));
  CHECK(own.header("X-Frame-Options") == "DENY");
  CHECK(own.header_text().find("SAMEORIGIN") == std::string::npos);
  CHECK_THROWS_AS(security_headers(security_header_values{.referrer_policy = "a\r\nb"}),
                  std::invalid_argument);
}
