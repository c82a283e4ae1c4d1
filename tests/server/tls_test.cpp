#include <doctest/doctest.h>

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <thread>

#include "corbel/http/tls_info.hpp"
#include "corbel/routing/body_stream.hpp"
#include "server/certificates.hpp"
#include "server/running.hpp"
#include "server/tls_client.hpp"

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using corbel::request;

std::string seen(const request& in) {
  const auto* const tls = in.tls();
  if (!tls) return "plain";
  std::string text(in.scheme());
  text.append(" ").append(tls->version).append(" ").append(tls->server_name);
  if (tls->client) text.append(" ").append(tls->client->subject);
  return text;
}

corbel::task<std::string> slow(const request&) {
  asio::steady_timer timer(co_await asio::this_coro::executor, 20ms);
  co_await timer.async_wait(asio::use_awaitable);
  co_return "slow";
}

void routes(corbel::route_group at) {
  at.get("/seen", &seen);
  at.get("/slow", &slow);
  at.get("/big", [] { return std::string(3'000'000, 'b'); });
  at.post("/echo", [](const request& in) { return std::string(in.body()); });
}

/// A server that speaks TLS by the certificate "server".
struct protected_server {
  explicit protected_server(certificates& made, const std::function<void(corbel::tls_settings&)>& adjust = {},
                            corbel::server_limits limits = {}, std::size_t loops = 1)
      : server(routes, limits, loops, 5s, {}, corbel::logger(log), [&](corbel::server_settings& s) {
          s.tls.emplace();
          s.tls->certificate = made.certificate("server");
          s.tls->key = made.key("server");
          if (adjust) adjust(*s.tls);
        }) {}

  std::shared_ptr<corbel::captured_log> log = std::make_shared<corbel::captured_log>();
  running server;
  std::uint16_t port() const { return server.port(); }
};

certificates& usual() {
  static certificates made;
  static const bool once = [] {
    made.make("server", {.subject = "first", .names = {"DNS:localhost", "IP:127.0.0.1"}});
    return true;
  }();
  (void)once;
  return made;
}

}  // namespace

TEST_CASE("requests are served over TLS 1.2 and 1.3, and nothing older") {
  protected_server server(usual());
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    tls_client client(server.port(), {.server_name = "localhost",
                                      .authority = usual().certificate("server"),
                                      .least = version,
                                      .most = version});
    REQUIRE_MESSAGE(client, client.why());
    CHECK(client.ask(wire::get("/seen")).value().body == "https " + client.version() + " localhost");
    CHECK(client.ask(wire::get("/slow")).value().body == "slow");
    CHECK(client.ask(wire::get("/seen")).value().code == 200);
  }
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    tls_client client(server.port(), {.least = version, .most = version});
    CHECK_FALSE(client);
    CHECK(client.why().find("protocol version") != std::string::npos);
  }
}

TEST_CASE("ciphers are ECDHE with AEAD, and the server prefers") {
  protected_server server(usual());
  for (const auto weak :
       {"ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA", "AES128-GCM-SHA256", "AES128-SHA",
        "DHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-CCM", "AECDH-AES128-SHA", "NULL-SHA256"}) {
    tls_client client(server.port(), {.most = TLS1_2_VERSION, .ciphers = std::string(weak) + ":@SECLEVEL=0"});
    CHECK_MESSAGE(!client, weak);
  }
  for (const auto good :
       {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"}) {
    tls_client client(server.port(), {.most = TLS1_2_VERSION, .ciphers = good});
    CHECK_MESSAGE(client, good);
  }
  tls_client client(
      server.port(),
      {.most = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256"});
  CHECK(client.cipher() == "ECDHE-ECDSA-AES128-GCM-SHA256");
}

TEST_CASE("ALPN chooses HTTP/1.1, and refuses who offers none of ours") {
  protected_server server(usual());
  CHECK(tls_client(server.port(), {.protocols = "\x02h2\x08http/1.1"}).protocol() == "http/1.1");
  CHECK(tls_client(server.port(), {.protocols = "\x08http/1.0"}).protocol() == "http/1.0");
  CHECK(tls_client(server.port()).protocol().empty());
  tls_client refused(server.port(), {.protocols = "\x02h2"});
  CHECK_FALSE(refused);
  CHECK(refused.why().find("no application protocol") != std::string::npos);
}

TEST_CASE("the name that is asked for picks the certificate") {
  auto& made = usual();
  made.make("shop", {.subject = "shop", .names = {"DNS:shop.example"}});
  made.make("wild", {.subject = "wild", .names = {"DNS:*.example", "DNS:*.Other.example"}});
  made.make("shop_rsa", {.subject = "shop", .names = {"DNS:shop.example"}, .key = certificates::kind::rsa});
  protected_server server(made, [&](corbel::tls_settings& s) {
    for (const auto each : {"wild", "shop", "shop_rsa"})
      s.more.push_back({made.certificate(each), made.key(each)});
  });
  const auto shown = [&](const char* name) {
    return tls_client(server.port(), {.server_name = name}).server();
  };
  CHECK(shown("localhost") == "first");
  CHECK(shown("shop.example") == "shop");
  CHECK(shown("SHOP.Example") == "shop");
  CHECK(shown("cart.example") == "wild");
  CHECK(shown("a.other.example") == "wild");
  CHECK(shown("a.b.example") == "first");
  CHECK(shown("example") == "first");
  CHECK(shown(".example") == "first");
  CHECK(tls_client(server.port()).server() == "first");
  // One name, two kinds of keys.
  for (const auto cipher : {"ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"}) {
    tls_client client(server.port(),
                      {.server_name = "shop.example", .most = TLS1_2_VERSION, .ciphers = cipher});
    REQUIRE_MESSAGE(client, cipher);
    CHECK(client.server() == "shop");
  }
}

TEST_CASE("a plain request to the TLS port is answered in plain words") {
  protected_server server(usual());
  for (const auto& text :
       {wire::get("/seen"), wire::post("/echo", std::string(5000, 'x')), std::string("PUT")}) {
    wire::client client(server.port());
    const auto reply = client.ask(text);
    REQUIRE(reply);
    CHECK(reply->code == 400);
    CHECK(reply->error_code() == "tls_expected");
    CHECK(reply->header("Connection") == "close");
    CHECK(client.ends());
  }
}

TEST_CASE("pipelined requests, large bodies both ways and slow handlers work over TLS") {
  corbel::server_limits limits;
  limits.body_bytes = 10'000'000;
  protected_server server(usual(), {}, limits);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    tls_client client(server.port(), {.least = version, .most = version});
    std::string many;
    for (int i = 0; i < 500; ++i) many += wire::get(i % 100 == 50 ? "/slow" : "/seen");
    REQUIRE(client.send(many));
    for (int i = 0; i < 500; ++i) {
      const auto reply = client.read();
      REQUIRE(reply);
      CHECK((reply->body == "slow") == (i % 100 == 50));
    }
    std::string body(2'000'000, ' ');
    for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i % 23);
    CHECK(client.ask(wire::post("/echo", body)).value().body == body);
    CHECK(client.ask(wire::get("/big")).value().body == std::string(3'000'000, 'b'));
    CHECK(client.ask(wire::get("/seen")).value().code == 200);
  }
}

TEST_CASE("one record that holds more than the buffer, and many that hold little, are read whole") {
  protected_server server(usual());
  tls_client client(server.port());
  // While the first waits, the others are deciphered already: no poll will tell of them.
  std::string burst = wire::get("/slow");
  for (int i = 0; i < 200; ++i) burst += wire::get("/seen");
  REQUIRE(burst.size() < 16'000);
  REQUIRE(client.send(burst));
  for (int i = 0; i < 201; ++i) REQUIRE(client.read());
  for (const char c : wire::get("/seen")) REQUIRE(client.send({&c, 1}));
  CHECK(client.read().value().code == 200);
}

TEST_CASE("a handshake may come byte by byte") {
  protected_server server(usual());
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    tls_client client(server.port(), {.least = version, .most = version, .bytewise = true});
    REQUIRE_MESSAGE(client, client.why());
    CHECK(client.ask(wire::get("/seen")).value().code == 200);
  }
}

TEST_CASE("keys may be updated in the middle, and renegotiation is refused") {
  protected_server server(usual());
  tls_client modern(server.port(), {.least = TLS1_3_VERSION});
  for (const int kind : {SSL_KEY_UPDATE_REQUESTED, SSL_KEY_UPDATE_NOT_REQUESTED}) {
    REQUIRE(SSL_key_update(modern.raw(), kind) == 1);
    REQUIRE(SSL_do_handshake(modern.raw()) == 1);
    CHECK(modern.ask(wire::get("/big")).value().body.size() == 3'000'000);
    CHECK(modern.ask(wire::get("/seen")).value().code == 200);
  }
  tls_client old(server.port(), {.most = TLS1_2_VERSION});
  CHECK(old.ask(wire::get("/seen")).value().code == 200);
  REQUIRE(SSL_renegotiate(old.raw()) == 1);
  CHECK(SSL_do_handshake(old.raw()) != 1);
}

TEST_CASE("the end is said, and its absence tolerated") {
  corbel::server_limits limits;
  limits.requests_per_connection = 1;
  protected_server server(usual(), {}, limits);
  tls_client client(server.port());
  CHECK(client.ask(wire::get("/seen")).value().header("Connection") == "close");
  CHECK(client.drain().empty());
  CHECK(client.goodbye());

  protected_server open(usual());
  {
    tls_client polite(open.port());
    CHECK(polite.ask(wire::get("/seen")).value().code == 200);
    polite.say_goodbye();
    CHECK(polite.drain().empty());
    CHECK(polite.goodbye());
  }
  { tls_client rude(open.port()); }
  {
    // Half a request, then the end: nobody is served.
    tls_client truncated(open.port());
    truncated.send("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nabc");
    truncated.say_goodbye();
    CHECK(truncated.drain().empty());
  }
  {
    // The goodbye comes along with the last request.
    tls_client hasty(open.port());
    hasty.send(wire::get("/slow"));
    hasty.say_goodbye();
    CHECK(hasty.read().value().body == "slow");
  }
  CHECK(tls_client(open.port()).ask(wire::get("/seen")).value().code == 200);
}

TEST_CASE("who is silent or slow in the handshake is evicted on time") {
  corbel::server_limits limits;
  limits.tls_handshake_timeout = 300ms;
  protected_server server(usual(), {}, limits);
  std::vector<std::unique_ptr<wire::client>> silent;
  for (int i = 0; i < 100; ++i) silent.push_back(std::make_unique<wire::client>(server.port()));
  wire::client begun(server.port());
  begun.send(std::string_view("\x16\x03\x01\x02\x00\x01\x00", 7));
  wire::client half(server.port());
  half.send("\x16");
  half.half_close();
  CHECK(tls_client(server.port()).ask(wire::get("/seen")).value().code == 200);
  const auto start = std::chrono::steady_clock::now();
  for (auto& each : silent) CHECK(each->drain().empty());
  begun.drain();
  CHECK(std::chrono::steady_clock::now() - start < 3s);
}

TEST_CASE("random bytes for a handshake do no harm") {
  protected_server server(usual());
  std::uint32_t state = 20'263;
  CAPTURE("seed 20263");
  const auto next = [&] { return static_cast<unsigned char>((state = state * 1664525 + 1013904223) >> 24); };
  for (int round = 0; round < 60; ++round) {
    wire::client client(server.port());
    std::string junk(1 + next() * 4u, '\0');
    for (auto& c : junk) c = static_cast<char>(next());
    if (round % 3 != 0) junk[0] = 0x16;
    if (round % 3 == 2 && junk.size() > 6) junk.replace(1, 5, std::string_view("\x03\x01\x00\xff\x01", 5));
    client.send(junk);
    client.half_close();
    client.drain();
  }
  CHECK(tls_client(server.port()).ask(wire::get("/seen")).value().code == 200);
}

TEST_CASE("random bytes behind a handshake do no harm") {
  protected_server server(usual());
  std::uint32_t state = 20'264;
  CAPTURE("seed 20264");
  for (int round = 0; round < 20; ++round) {
    tls_client client(server.port());
    std::string junk(500, '\0');
    for (auto& c : junk) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
    if (round % 2) junk.replace(0, 5, std::string_view("\x17\x03\x03\x01\x00", 5));
    (void)::send(client.fd(), junk.data(), junk.size(), MSG_NOSIGNAL);
    client.drain();
  }
  CHECK(tls_client(server.port()).ask(wire::get("/seen")).value().code == 200);
}

TEST_CASE("sessions are resumed on every thread and over renewals of the keys, without client certificates") {
  protected_server server(usual(), {}, {}, 2);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    tls_client first(server.port(), {.least = version, .most = version});
    CHECK_FALSE(first.resumed());
    CHECK(first.ask(wire::get("/seen")).value().code == 200);  // in 1.3 the tickets come behind the handshake
    std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)> session(first.session(), &SSL_SESSION_free);
    for (int i = 0; i < 8; ++i) {
      if (i == 4) CHECK(server.server.server().reload_certificates());
      CAPTURE(version);
      CAPTURE(i);
      tls_client again(server.port(), {.least = version, .most = version, .resume = session.get()});
      CHECK(again.resumed());
      CHECK(again.ask(wire::get("/seen")).value().code == 200);
      session.reset(again.session());  // in 1.3 each is used once
    }
  }
}

TEST_CASE("an idle TLS connection is closed with a goodbye, and a drain ends all of them") {
  corbel::server_limits limits;
  limits.keep_alive_timeout = 200ms;
  {
    protected_server server(usual(), {}, limits);
    tls_client client(server.port());
    CHECK(client.ask(wire::get("/seen")).value().code == 200);
    CHECK(client.drain().empty());
    CHECK(client.goodbye());
  }
  protected_server server(usual());
  wire::client silent(server.port());
  tls_client client(server.port());
  CHECK(client.ask(wire::get("/seen")).value().code == 200);
  auto over = server.server.begin_drain();
  CHECK(client.drain().empty());
  CHECK(client.goodbye());
  CHECK(over.wait_for(3s) == std::future_status::ready);
}
