#include <doctest/doctest.h>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <string>

#include "corbel/app/app.hpp"
#include "corbel/middleware/access_log.hpp"
#include "corbel/middleware/request_id.hpp"
#include "corbel/middleware/security_headers.hpp"
#include "http/connection_facts.hpp"
#include "http/request_access.hpp"

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

TEST_CASE("the access log names the route, so that lines can be counted by it") {
  const auto log = std::make_shared<captured_log>();
  app a(plain(log));
  a.use(access_log{});
  auto api = a.group("/api/v1");
  api.get("/projects/:id", [](path<int>) { return std::string(); });
  api.get("/slow/:id", [](path<int>) -> task<std::string> { co_return std::string(); });
  api.post("/files/*rest", [](request&) {
    response out;
    out.stream("text/plain", {[](body_sink& to) -> task<> { co_await to.write("1"); }, {}, false});
    return out;
  });
  const auto route = [&](const injected_request& asked) {
    log->clear();
    (void)a.inject(asked);
    REQUIRE(log->lines().size() == 1);
    return nlohmann::json::parse(log->lines()[0])["route"];
  };
  CHECK(route(get("/api/v1/projects/7?a=b")) == "/api/v1/projects/:id");
  CHECK(route(get("/api/v1/projects/none")) == "/api/v1/projects/:id");
  CHECK(route({"HEAD", "/api/v1/projects/7"}) == "/api/v1/projects/:id");
  CHECK(route(get("/api/v1/slow/7")) == "/api/v1/slow/:id");
  CHECK(route(post("/api/v1/files/a/b")) == "/api/v1/files/*rest");
  CHECK(route(get("/api/v1/nowhere")) == nullptr);
  CHECK(route(del("/api/v1/projects/7")) == nullptr);
}

namespace {

/// What a handler calls, which knows nothing of requests.
task<std::string> rename(std::string name, logger log) {
  log.info("renaming", {{"name", name}});
  const auto loop = co_await boost::asio::this_coro::executor;
  co_await boost::asio::post(loop, boost::asio::use_awaitable);
  log.warn("renamed");
  co_return name;
}

}  // namespace

TEST_CASE("a handler's logger has the request's id, wherever it is handed on to") {
  const auto log = std::make_shared<captured_log>();
  app a(plain(log));
  a.post("/rename",
         [](body<std::string> name, logger to) { return rename(std::move(*name), std::move(to)); });
  a.get("/plain", [](logger to) { to.info("found"); });
  const auto ask = [&](const injected_request& asked, std::size_t lines) {
    log->clear();
    (void)a.inject(asked);
    REQUIRE(log->lines().size() == lines);
    for (const auto& line : log->lines()) CHECK(nlohmann::json::parse(line)["requestId"] == "the-id");
  };
  ask(post("/rename").json(R"("new")").header("X-Request-Id", "the-id"), 2);
  ask(get("/plain").header("X-Request-Id", "the-id"), 1);
}

TEST_CASE("the line of a streamed response tells what was sent") {
  const auto log = std::make_shared<captured_log>();
  app a(plain(log));
  a.use(access_log{});
  const auto streamed = [](std::optional<std::uint64_t> length) {
    return [length] {
      response out;
      out.stream("text/plain", {[](body_sink& to) -> task<> {
                                  co_await to.write("12345");
                                  co_await to.write("678");
                                },
                                length, false});
      return out;
    };
  };
  a.get("/open", streamed({}));
  a.get("/counted", streamed(8));
  for (const std::string target : {"/open", "/counted"}) {
    log->clear();
    CHECK(a.inject(get(target)).body() == "12345678");
    REQUIRE(log->lines().size() == 1);
    const auto line = nlohmann::json::parse(log->lines()[0]);
    CHECK(line["bytes"] == 8);
    CHECK(line["path"] == target);
    CHECK(line["status"] == 200);
    CHECK(line["requestId"].get<std::string>().size() == 36);
  }
  log->clear();
  (void)a.inject({"HEAD", "/open"});
  REQUIRE(log->lines().size() == 1);
  CHECK(nlohmann::json::parse(log->lines()[0])["bytes"] == 0);
}

TEST_CASE("security headers are on every page, and yield to the handler's own") {
  app a(plain());
  a.get("/", [] {
    response out;
    out.body("<p>", "text/html; charset=utf-8");
    return out;
  });
  a.get("/script", [] {
    response out;
    out.body("1", "text/javascript");
    return out;
  });
  a.get("/own", [] {
    response out;
    out.body("<p>", "text/html").set("x-frame-options", "DENY");
    return out;
  });
  for (const std::string target : {"/", "/script"}) {
    const auto out = a.inject(get(target));
    for (const auto* name :
         {"Content-Security-Policy", "Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy",
          "Origin-Agent-Cluster", "Referrer-Policy", "X-Content-Type-Options", "X-DNS-Prefetch-Control",
          "X-Download-Options", "X-Frame-Options", "X-Permitted-Cross-Domain-Policies", "X-XSS-Protection"})
      CHECK_MESSAGE(out.header(name), name);
    // What only TLS makes true is not said on plain HTTP.
    CHECK_FALSE(out.header("Strict-Transport-Security"));
    const std::string policy(out.header("Content-Security-Policy").value());
    CHECK(policy.find("upgrade-insecure-requests") == std::string::npos);
    CHECK(policy.find("base-uri 'none'") != std::string::npos);
    CHECK(policy.back() != ';');
    CHECK_FALSE(out.header("X-Powered-By"));
    CHECK_FALSE(out.header("Cache-Control"));
  }
  const auto own = a.inject(get("/own"));
  CHECK(own.header("X-Frame-Options") == "DENY");
  CHECK(own.header_text().find("SAMEORIGIN") == std::string::npos);
  CHECK_THROWS_AS(security_headers(security_header_values{.referrer_policy = "a\r\nb"}),
                  std::invalid_argument);
}

TEST_CASE("data gets the short set, and a 304 none that would replace those of a page") {
  app a(plain());
  a.get("/text", [] { return std::string("x"); });
  a.get("/json", [] {
    response out;
    out.body("[1]", "application/json");
    return out;
  });
  a.get("/none", [] {});
  a.get("/problem", []() -> result<std::string> { return not_found("no"); });
  a.get("/unchanged", [] { return response(status::not_modified); });
  for (const std::string target : {"/text", "/json", "/none", "/problem", "/missing", "bad target"}) {
    CAPTURE(target);
    const auto out = a.inject(get(target).header("Accept", "application/problem+json, */*"));
    CHECK(out.header("Content-Security-Policy") == "default-src 'none'; frame-ancestors 'none'");
    CHECK(out.header("X-Content-Type-Options") == "nosniff");
    for (const auto* name :
         {"X-Frame-Options", "Strict-Transport-Security", "Referrer-Policy", "Cache-Control"})
      CHECK_FALSE(out.header(name));
  }
  CHECK_FALSE(a.inject(get("/unchanged")).header("Content-Security-Policy"));
}

TEST_CASE("what only TLS makes true is said on TLS") {
  request in;
  auto facts = std::make_shared<connection_facts>();
  facts->tls_before_us = true;
  request_access(in).facts(facts);
  const security_headers layer;
  for (const std::string type : {"text/html", "application/json"}) {
    response out;
    out.body("{}", type);
    layer.after(in, out);
    CHECK(out.header("Strict-Transport-Security") == "max-age=31536000; includeSubDomains");
    const bool upgrades = out.header("Content-Security-Policy").value().find("upgrade-insecure-requests") !=
                          std::string_view::npos;
    CHECK(upgrades == (type == "text/html"));
  }
}

TEST_CASE("a person's data goes into no shared cache") {
  app a(plain());
  a.get("/", [] { return std::string("x"); });
  const auto with_field = [](std::string name, std::string value) {
    return [name, value] {
      auto out = text_response("x");
      out.set(name, value);
      return out;
    };
  };
  a.get("/tagged", with_field("ETag", "\"1\""));
  a.get("/dated", with_field("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"));
  a.get("/public", with_field("Cache-Control", "public, max-age=60"));
  a.get("/cookie", with_field("Set-Cookie", "a=b"));
  const auto caching = [&](const std::string& target, const std::string& field) {
    auto asked = get(target);
    if (!field.empty()) asked = get(target).header(field, "a=b");
    return std::string(a.inject(asked).header("Cache-Control").value_or("none"));
  };
  CHECK(caching("/", "") == "none");
  CHECK(caching("/", "Cookie") == "no-store");
  CHECK(caching("/", "Authorization") == "no-store");
  CHECK(caching("/missing", "Authorization") == "no-store");
  CHECK(caching("/tagged", "") == "none");
  CHECK(caching("/tagged", "Cookie") == "private, no-cache");
  CHECK(caching("/dated", "Cookie") == "private, no-cache");
  CHECK(caching("/public", "Cookie") == "public, max-age=60");
  CHECK(caching("/cookie", "") == "no-store");
}
