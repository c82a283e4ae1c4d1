#include <doctest/doctest.h>

#include "client/caller.hpp"
#include "client/raw_server.hpp"
#include "corbel/http/url.hpp"
#include "corbel/middleware/request_id.hpp"
#include "corbel/routing/extract.hpp"
#include "corbel/routing/reply.hpp"
#include "server/running.hpp"

using namespace corbel;
using namespace std::chrono_literals;

namespace {

struct thing {
  int id = 0;
  std::string name;
};
constexpr auto describe(tag<thing>) {
  using namespace rules;
  return object(field("id", &thing::id), field("name", &thing::name, text().min(1)));
}

struct search {
  std::optional<std::string> q;
};
constexpr auto describe(tag<search>) {
  using namespace rules;
  return object(field("q", &search::q));
}

void routes(route_group g) {
  g.get("/things/:id", [](path<int> id) { return thing{*id, "thing"}; });
  g.post("/things", [](body<thing> in) { return thing{in->id + 1, in->name}; });
  g.get("/search", [](query<search> in) { return in->q.value_or("-"); });
  g.del("/things/:id", [](path<int>) {});
  g.get("/headers", [](const request& in) {
    std::string text;
    for (const auto& each : in.headers())
      text += std::string(each.name) + '=' + std::string(each.value) + ';';
    return text;
  });
  g.get("/nameless", [] { return std::string(R"({"id":1,"name":""})"); });
  g.get("/refused", []() -> result<thing> { return unprocessable("No.", "no"); });
  g.post("/echo", [](const request& in) { return std::string(in.body()); }).body_limit(64 << 20);
}

}  // namespace

TEST_CASE("a call over a real socket gives what the other service answered") {
  running service(routes);
  const std::string base = "http://127.0.0.1:" + std::to_string(service.port());
  caller loop;
  client http(local());

  auto reply = loop.wait(http.get(base + "/things/7"));
  REQUIRE(reply);
  CHECK(reply->status() == status::ok);
  CHECK(reply->ok());
  CHECK(reply->header("content-type") == "application/json");
  CHECK(reply->url() == base + "/things/7");
  const auto got = reply->json<thing>();
  REQUIRE(got);
  CHECK(got->id == 7);

  const thing eight{8, "made"};
  auto made = loop.wait(http.send(outbound::post(base + "/things").json(eight).timeout(2s)));
  REQUIRE(made);
  CHECK(made->json<thing>()->id == 9);

  CHECK(loop.wait(http.send(outbound::get(base + "/search").query("q", "a b&c=ä")))->body() == "a b&c=ä");
  CHECK(loop.wait(http.send(outbound::del(base + "/things/1")))->code() == 204);
  const auto head = loop.wait(http.send(outbound::head(base + "/things/7")));
  REQUIRE(head);
  CHECK(head->body().empty());
  CHECK(head->header("Content-Length"));
  CHECK(loop.wait(http.get(base + "/things/8"))->json<thing>()->id == 8);
}

TEST_CASE("an unexpected answer is the other service's fault") {
  running service(routes);
  const std::string base = "http://127.0.0.1:" + std::to_string(service.port());
  caller loop;
  client http(local());
  const auto refused = loop.wait(http.get(base + "/refused?token=secret"));
  REQUIRE(refused);
  CHECK(refused->code() == 422);
  const auto told = refused->expect_ok();
  REQUIRE_FALSE(told);
  CHECK(told.error().code() == "unexpected_status");
  CHECK(status_of(told.error().kind()) == status::bad_gateway);
  CHECK(told.error().message().find("127.0.0.1") == std::string::npos);
  CHECK(told.error().cause() == base + "/refused answered 422");

  const auto nameless = loop.wait(http.get(base + "/nameless"))->json<thing>();
  REQUIRE_FALSE(nameless);
  CHECK(nameless.error().code() == "unexpected_response");
  CHECK(status_of(nameless.error().kind()) == status::bad_gateway);
  CHECK(nameless.error().cause().find("/name") != std::string::npos);
  CHECK(nameless.error().violations().empty());
}

TEST_CASE("large bodies travel both ways") {
  server_limits limits;
  limits.body_bytes = 64 << 20;
  running service(routes, limits);
  const std::string base = "http://127.0.0.1:" + std::to_string(service.port());
  caller loop;
  auto settings = local();
  settings.limits.body = byte_size{64 << 20};
  client http(settings);
  std::string text(5 << 20, 'x');
  for (std::size_t i = 0; i < text.size(); i += 1000) text[i] = static_cast<char>('a' + i / 1000 % 26);
  const auto echoed = loop.wait(http.send(outbound::post(base + "/echo").body(text, "text/plain")));
  REQUIRE(echoed);
  CHECK(echoed->body() == text);
  // And again on the same connection.
  CHECK(loop.wait(http.send(outbound::post(base + "/echo").body("y", "text/plain")))->body() == "y");
}

TEST_CASE("what is wrong with a request is the call's error, and nothing is sent") {
  raw_server service([](auto& peer) { peer.request(); });
  caller loop;
  client http(local());
  const auto code = [&](outbound request) {
    const auto got = loop.wait(http.send(std::move(request)));
    REQUIRE_FALSE(got);
    CHECK(status_of(got.error().kind()) == status::internal_server_error);
    return got.error().code();
  };
  const auto to = [&] { return outbound::get(service.url()); };
  CHECK(code(to().header("X-A", "a\r\nX-B: b")) == "invalid_request");
  CHECK(code(to().header("X-A", std::string("a\0b", 3))) == "invalid_request");
  CHECK(code(to().header("X A", "a")) == "invalid_request");
  CHECK(code(to().header("", "a")) == "invalid_request");
  CHECK(code(to().header("Host", "elsewhere")) == "invalid_request");
  CHECK(code(to().header("transfer-encoding", "chunked")) == "invalid_request");
  CHECK(code(to().header("Content-Length", "1")) == "invalid_request");
  CHECK(code(to().bearer("a\nb")) == "invalid_request");
  CHECK(code(to().body("x", "text/plain\r\nX-B: b")) == "invalid_request");
  CHECK(code(outbound(method::connect, service.url())) == "invalid_request");
  CHECK(code(outbound(method::trace, service.url())) == "invalid_request");
  CHECK(code(outbound::get("ftp://127.0.0.1/")) == "invalid_url");
  CHECK(code(outbound::get(service.url("/a b"))) == "invalid_url");
  CHECK(service.connections() == 0);
}

TEST_CASE("requests are written as servers expect them") {
  raw_server service([](auto& peer) {
    while (!peer.request().empty()) peer.send(ok("."));
  });
  caller loop;
  client http(local());
  const auto host = "127.0.0.1:" + std::to_string(service.port());
  (void)loop.wait(http.send(outbound::get(service.url("?a=1")).header("X-A", "1").header("x-a", "2")));
  (void)loop.wait(http.send(outbound::post(service.url("/p"))));
  (void)loop.wait(http.send(outbound::post(service.url("/f")).form({{"a b", "c&d"}, {"e", ""}})));
  const auto sent = service.requests();
  REQUIRE(sent.size() == 3);
  CHECK(sent[0] == "GET /?a=1 HTTP/1.1\r\nHost: " + host +
                       "\r\nx-a: 2\r\nUser-Agent: corbel\r\nAccept: */*\r\nAccept-Encoding: gzip\r\n\r\n");
  CHECK(sent[1].find("Content-Length: 0\r\n") != std::string::npos);
  CHECK(sent[2].find("Content-Type: application/x-www-form-urlencoded\r\n") != std::string::npos);
  CHECK(sent[2].find("\r\n\r\na%20b=c%26d&e=") != std::string::npos);
}

TEST_CASE("a handler calls on behalf of its request, and lets errors through") {
  raw_server other([](auto& peer) {
    const auto in = peer.request();
    if (in.find("GET /fail") == 0) return;
    peer.send(ok(in));
  });
  client http(local());
  const auto wire_up = [&](route_group g) {
    g.use(request_id{});
    g.get("/pass/:url",
          [](const request& in, path<std::string> to, state<client> calls) -> task<result<std::string>> {
            auto got = co_await calls->send(outbound::get(*to).on_behalf_of(in));
            if (!got) co_return got.error();
            co_return got->body();
          });
  };
  running service(wire_up, {}, 1, 5s, [&](services& all) { all.provide(http); });
  caller loop;
  const auto to = [&](std::string_view path) {
    return outbound::get("http://127.0.0.1:" + std::to_string(service.port()) + "/pass/" +
                         percent_encode(other.url(path)))
        .header("X-Request-Id", "the-one")
        .header("tracestate", "a=b");
  };
  const std::string parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const auto traced = loop.wait(http.send(to("/").header("traceparent", parent)));
  REQUIRE(traced);
  CHECK(traced->body().find("X-Request-Id: the-one\r\n") != std::string::npos);
  CHECK(traced->body().find("traceparent: " + parent + "\r\n") != std::string::npos);
  CHECK(traced->body().find("tracestate: a=b\r\n") != std::string::npos);
  const auto untraced = loop.wait(http.send(to("/").header("traceparent", "00-junk")));
  CHECK(untraced->body().find("trace") == std::string::npos);

  const auto failed = loop.wait(http.send(to("/fail")));
  REQUIRE(failed);
  CHECK(failed->code() == 502);
  CHECK(failed->body().find("connection_lost") != std::string::npos);
  CHECK(failed->body().find("\"message\":\"The connection to another service was lost.\"") !=
        std::string::npos);
}

TEST_CASE("a fake answers in the place of the network") {
  caller loop;
  std::vector<std::string> asked;
  const auto http = client::fake([&](const outbound& request) -> result<client_response> {
    asked.push_back(std::string(to_string(request.method())) + ' ' + request.url());
    if (request.url() == "http://down/") return unavailable("down");
    return client_response(status::created, R"({"id":4,"name":"four"})");
  });
  const thing four{4, "four"};
  const auto made = loop.wait(http.send(outbound::post("http://things/").json(four)));
  REQUIRE(made);
  CHECK(made->code() == 201);
  CHECK(made->json<thing>()->id == 4);
  CHECK(made->url() == "http://things/");
  CHECK_FALSE(loop.wait(http.get("http://down/")));
  CHECK(asked == std::vector<std::string>{"POST http://things/", "GET http://down/"});
  auto stream = loop.wait(http.open(outbound::get("http://things/")));
  REQUIRE(stream);
  CHECK(*loop.wait(stream->read()) == R"({"id":4,"name":"four"})");
  CHECK(loop.wait(stream->read())->empty());
}
