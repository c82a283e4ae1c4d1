#include <doctest/doctest.h>

#include "client/caller.hpp"
#include "client/raw_server.hpp"

using namespace corbel;
using namespace std::chrono_literals;

namespace {

std::string to(std::string_view location, int code = 302) {
  return "HTTP/1.1 " + std::to_string(code) +
         " X\r\nContent-Length: 4\r\nLocation: " + std::string(location) + "\r\n\r\ngone";
}

/// Answers "/go" with a redirect, and all else with the request itself.
raw_server::script sending(std::string location, int code = 302) {
  return [location, code](auto& peer) {
    for (;;) {
      const auto in = peer.request();
      if (in.empty()) return;
      peer.send(in.find("/go ") != in.npos ? to(location, code) : ok(in));
    }
  };
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("redirects within an origin carry everything on") {
  raw_server service(sending("../there?x=1#top"));
  caller loop;
  client http(local());
  const auto got =
      loop.wait(http.send(outbound::get(service.url("/a/go")).bearer("token").header("Cookie", "a=b")));
  REQUIRE(got);
  CHECK(got->url() == service.url("/there?x=1"));
  CHECK(has(got->body(), "GET /there?x=1 HTTP/1.1\r\n"));
  CHECK(has(got->body(), "Authorization: Bearer token\r\n"));
  CHECK(has(got->body(), "Cookie: a=b\r\n"));
  CHECK(service.connections() == 1);
}

TEST_CASE("credentials stay behind when the origin changes, and do not come back") {
  raw_server elsewhere([](auto& peer) {
    for (;;) {
      const auto in = peer.request();
      if (in.empty()) return;
      // Sent back to where it came from.
      const auto at = in.find("X-Back: ");
      peer.send(has(in, "X-Back: ") ? to(in.substr(at + 8, in.find("\r\n", at) - at - 8)) : ok(in));
    }
  });
  raw_server service(sending(elsewhere.url("/there")));
  caller loop;
  client http(local());
  const auto request = [&] {
    return outbound::get(service.url("/go"))
        .bearer("token")
        .header("Cookie", "a=b")
        .header("Proxy-Authorization", "Basic x")
        .secret_header("X-Api-Key", "key")
        .header("X-Kept", "kept");
  };
  const auto got = loop.wait(http.send(request()));
  REQUIRE(got);
  CHECK(has(service.requests().at(0), "Authorization: Bearer token\r\n"));
  CHECK(has(service.requests().at(0), "X-Api-Key: key\r\n"));
  CHECK(has(got->body(), "X-Kept: kept\r\n"));
  CHECK(has(got->body(), "Host: 127.0.0.1:" + std::to_string(elsewhere.port()) + "\r\n"));
  for (const auto* name : {"Authorization", "Cookie", "Proxy-Authorization", "X-Api-Key"})
    CHECK_MESSAGE(!has(got->body(), name), name);

  const auto back = loop.wait(http.send(request().header("X-Back", service.url("/home"))));
  REQUIRE(back);
  CHECK(back->url() == service.url("/home"));
  CHECK_FALSE(has(back->body(), "token"));
}

TEST_CASE("the method and the body change as RFC 9110, 15.4 says") {
  const struct {
    int code;
    method sent;
    const char* arrives;
    bool body;
  } rows[] = {{301, method::post, "GET", false},  {302, method::post, "GET", false},
              {303, method::post, "GET", false},  {307, method::post, "POST", true},
              {308, method::post, "POST", true},  {301, method::put, "PUT", true},
              {302, method::put, "PUT", true},    {303, method::put, "GET", false},
              {303, method::del, "GET", false},   {302, method::get, "GET", false},
              {308, method::patch, "PATCH", true}};
  for (const auto& row : rows) {
    INFO(row.code, ' ', to_string(row.sent));
    raw_server service(sending("/there", row.code));
    caller loop;
    client http(local());
    outbound request(row.sent, service.url("/go"));
    if (row.sent != method::get) request.body("content", "text/plain").header("X-Kept", "kept");
    const auto got = loop.wait(http.send(std::move(request)));
    REQUIRE(got);
    CHECK(got->body().substr(0, got->body().find(' ')) == row.arrives);
    CHECK(has(got->body(), "content") == row.body);
    CHECK(has(got->body(), "Content-Type") == row.body);
  }
  raw_server service(sending("/there", 303));
  caller loop;
  client http(local());
  CHECK(loop.wait(http.send(outbound::head(service.url("/go")))));
  CHECK(has(service.requests().at(1), "HEAD /there"));
}

TEST_CASE("redirects have a limit") {
  raw_server service([](auto& peer) {
    while (!peer.request().empty()) peer.send(to("/again"));
  });
  caller loop;
  client http(local());
  auto got = loop.wait(http.get(service.url()));
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == "too_many_redirects");
  CHECK(service.requests().size() == 6);
  got = loop.wait(http.send(outbound::get(service.url()).redirects(1)));
  CHECK(got.error().code() == "too_many_redirects");
  got = loop.wait(http.send(outbound::get(service.url()).redirects(0)));
  REQUIRE(got);
  CHECK(got->code() == 302);
  CHECK(got->header("Location") == "/again");
  CHECK(got->body() == "gone");
}

TEST_CASE("a 3xx that leads nowhere is an answer like others") {
  for (const std::string_view words : {"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
                                       "HTTP/1.1 304 Not Modified\r\nLocation: /x\r\n\r\n",
                                       "HTTP/1.1 300 Choices\r\nContent-Length: 0\r\nLocation: /x\r\n\r\n"}) {
    raw_server service([&](auto& peer) {
      peer.request();
      peer.send(words);
    });
    caller loop;
    client http(local());
    CHECK(loop.wait(http.get(service.url()))->code() / 100 == 3);
  }
}

TEST_CASE("a redirect goes to no place where a call may not go") {
  caller loop;
  const auto code = [&](std::string location, client_settings settings) {
    raw_server service(sending(location));
    client http(std::move(settings));
    const auto got = loop.wait(http.get(service.url("/go")));
    REQUIRE_FALSE(got);
    return got.error().code();
  };
  CHECK(code("http://169.254.169.254/latest/meta-data/", local()) == "address_refused");
  CHECK(code("http://[::ffff:127.0.0.1]/", local()) == "address_refused");
  CHECK(code("file:///etc/passwd", local()) == "malformed_response");
  CHECK(code("http://user:pw@127.0.0.1/", local()) == "malformed_response");
  CHECK(code("http://0x7f.1/", local()) == "malformed_response");
  client_settings strict;
  strict.allow_hosts = {"127.0.0.1"};
  CHECK(code("http://127.0.0.2/", strict) == "address_refused");
  CHECK(code("http://localhost/", strict) == "address_refused");
  auto ports = local();
  // The first hop must be allowed for the second to be refused.
  raw_server service(sending("http://127.0.0.1:1/"));
  ports.allow_ports = {service.port()};
  client http(ports);
  CHECK(loop.wait(http.get(service.url("/go"))).error().code() == "address_refused");
}

TEST_CASE("a body that was streamed is not sent twice") {
  raw_server service(sending("/there", 307));
  caller loop;
  client http(local());
  const auto produce = [](body_sink& to) -> task<> { co_await to.write("piece"); };
  const auto got = loop.wait(http.send(outbound::post(service.url("/go")).stream(produce, "text/plain", 5)));
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == "unrepeatable_redirect");
}
