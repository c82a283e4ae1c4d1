#include <doctest/doctest.h>

#include <string>

#include "server/running.hpp"
#include "server/wire.hpp"

namespace {

void wire_up(corbel::route_group routes) {
  routes.get("/", [] { return std::string("root"); });
  routes.post("/", [](const corbel::request& in) { return "body:" + std::string(in.body()); });
  routes.get("/smuggled", [] { return std::string("SMUGGLED"); });
}

struct bad_request {
  std::string why;
  std::string bytes;
  int code;
  std::string error_code;
};

const std::string host = "Host: test\r\n";
const std::string five = "Content-Length: 5\r\n";
const std::string chunked = "Transfer-Encoding: chunked\r\n";

std::string head(const std::string& line, const std::string& fields) {
  return line + "\r\n" + fields + "\r\n";
}
std::string in_chunks(const std::string& body) {
  return head("POST / HTTP/1.1", host + chunked) + body;
}

/// Everything the framing rules refuse (RFC 9112, and stricter where two readers could differ).
std::vector<bad_request> all_refusals() {
  const std::string get = "GET / HTTP/1.1", post = "POST / HTTP/1.1";
  const auto nul = std::string(1, '\0');
  return {
      {"length and coding", head(post, host + five + chunked) + "0\r\n\r\n", 400, "malformed_framing"},
      {"coding and length", head(post, host + chunked + five) + "0\r\n\r\n", 400, "malformed_framing"},
      {"two equal lengths", head(post, host + five + five) + "hello", 400, "malformed_framing"},
      {"two lengths", head(post, host + five + "Content-Length: 6\r\n") + "hello!", 400, "malformed_framing"},
      {"list of lengths", head(post, host + "Content-Length: 5, 5\r\n") + "hello", 400, "malformed_framing"},
      {"signed length", head(post, host + "Content-Length: +5\r\n") + "hello", 400, "malformed_framing"},
      {"negative length", head(post, host + "Content-Length: -5\r\n") + "hello", 400, "malformed_framing"},
      {"hexadecimal length", head(post, host + "Content-Length: 0x5\r\n") + "hello", 400,
       "malformed_framing"},
      {"empty length", head(post, host + "Content-Length:\r\n") + "hello", 400, "malformed_framing"},
      {"length with a blank", head(post, host + "Content-Length: 5 5\r\n") + "hello", 400,
       "malformed_framing"},
      {"length beyond 64 bits", head(post, host + "Content-Length: 18446744073709551617\r\n") + "x", 413,
       "payload_too_large"},
      {"length of 19 digits", head(post, host + "Content-Length: 1000000000000000000\r\n") + "x", 413,
       "payload_too_large"},
      {"two codings", head(post, host + chunked + chunked) + "0\r\n\r\n", 400, "malformed_framing"},
      {"list of codings", head(post, host + "Transfer-Encoding: gzip, chunked\r\n") + "0\r\n\r\n", 400,
       "malformed_framing"},
      {"chunked twice in a list", head(post, host + "Transfer-Encoding: chunked, chunked\r\n") + "0\r\n\r\n",
       400, "malformed_framing"},
      {"identity before chunked",
       head(post, host + "Transfer-Encoding: identity\r\n" + chunked) + "0\r\n\r\n", 400,
       "malformed_framing"},
      {"gzip alone", head(post, host + "Transfer-Encoding: gzip\r\n"), 501, "not_implemented"},
      {"identity alone", head(post, host + "Transfer-Encoding: identity\r\n"), 501, "not_implemented"},
      {"chunked with a parameter", head(post, host + "Transfer-Encoding: chunked;q=1\r\n") + "0\r\n\r\n", 501,
       "not_implemented"},
      {"almost chunked", head(post, host + "Transfer-Encoding: xchunked\r\n") + "0\r\n\r\n", 501,
       "not_implemented"},
      {"quoted chunked", head(post, host + "Transfer-Encoding: \"chunked\"\r\n") + "0\r\n\r\n", 501,
       "not_implemented"},
      {"empty coding", head(post, host + "Transfer-Encoding:\r\n"), 501, "not_implemented"},
      {"coding in HTTP/1.0", head("POST / HTTP/1.0", host + chunked) + "0\r\n\r\n", 400, "malformed_framing"},

      {"folded line", head(get, host + "X-A: 1\r\n 2\r\n"), 400, "malformed_request"},
      {"folded line by a tab", head(get, host + "X-A: 1\r\n\t2\r\n"), 400, "malformed_request"},
      {"blank before the first field", head(get, " X-A: 1\r\n" + host), 400, "malformed_request"},
      {"bare line feed in the request line", "GET / HTTP/1.1\n" + host + "\r\n", 400, "malformed_request"},
      {"bare line feed behind a field", "GET / HTTP/1.1\r\nHost: test\n\r\n", 400, "malformed_request"},
      {"bare line feed as the blank line", "GET / HTTP/1.1\r\n" + host + "\n", 400, "malformed_request"},
      {"bare carriage return in a value", head(get, host + "X-A: 1\r2\r\n"), 400, "malformed_request"},
      {"carriage return before the line's end", head(get, host + "X-A: 1\r\r\n"), 400, "malformed_request"},
      {"bare carriage return in the target", head("GET /\r HTTP/1.1", host), 400, "malformed_request"},
      {"NUL in a value", head(get, host + "X-A: 1" + nul + "2\r\n"), 400, "malformed_request"},
      {"NUL in a name", head(get, host + "X" + nul + "A: 1\r\n"), 400, "malformed_request"},
      {"NUL in the target", head("GET /" + nul + " HTTP/1.1", host), 400, "malformed_request"},
      {"escape character in a value", head(get, host + "X-A: \x1b[31m\r\n"), 400, "malformed_request"},
      {"delete character in a value", head(get, host + "X-A: \x7f\r\n"), 400, "malformed_request"},
      {"blank before the colon", head(get, host + "X-A : 1\r\n"), 400, "malformed_request"},
      {"tab before the colon", head(get, host + "X-A\t: 1\r\n"), 400, "malformed_request"},
      {"blank before the colon of a length", head(post, host + "Content-Length : 5\r\n") + "hello", 400,
       "malformed_request"},
      {"no colon", head(get, host + "X-A\r\n"), 400, "malformed_request"},
      {"no name", head(get, host + ": 1\r\n"), 400, "malformed_request"},
      {"name with a parenthesis", head(get, host + "X(A): 1\r\n"), 400, "malformed_request"},
      {"name beyond ASCII", head(get, host + "X\xc3\xa4: 1\r\n"), 400, "malformed_request"},

      {"connection that is no list of tokens", head(get, host + "Connection: a b\r\n"), 400,
       "malformed_request"},

      {"no host", head(get, "X-A: 1\r\n"), 400, "malformed_request"},
      {"no fields", head(get, ""), 400, "malformed_request"},
      {"two hosts", head(get, host + host), 400, "malformed_request"},
      {"two hosts, one in another case", head(get, host + "hOST: other\r\n"), 400, "malformed_request"},
      {"host with user information", head(get, "Host: me@test\r\n"), 400, "malformed_request"},
      {"host with a path", head(get, "Host: test/x\r\n"), 400, "malformed_request"},
      {"host with a blank", head(get, "Host: a b\r\n"), 400, "malformed_request"},
      {"list of hosts", head(get, "Host: a, b\r\n"), 400, "malformed_request"},
      {"host with a bad port", head(get, "Host: test:8x\r\n"), 400, "malformed_request"},
      {"host with an open bracket", head(get, "Host: [::1\r\n"), 400, "malformed_request"},
      {"host with a second colon", head(get, "Host: a:1:2\r\n"), 400, "malformed_request"},
      {"absolute-form without the Host of HTTP/1.1", head("GET http://test/ HTTP/1.1", ""), 400,
       "malformed_request"},
      {"absolute-form beside two hosts", head("GET http://test/ HTTP/1.1", host + host), 400,
       "malformed_request"},
      {"absolute-form beside a broken host", head("GET http://test/ HTTP/1.1", "Host: a b\r\n"), 400,
       "malformed_request"},
      {"absolute-form with a bad port", head("GET http://test:8x/ HTTP/1.1", host), 400, "malformed_request"},
      {"absolute-form of a port alone", head("GET http://:80/ HTTP/1.1", host), 400, "malformed_request"},
      {"absolute-form of a query alone", head("GET http://?a=b HTTP/1.1", host), 400, "malformed_request"},
      {"absolute-form with user information", head("GET http://me@test/ HTTP/1.1", host), 400,
       "malformed_request"},
      {"absolute-form of another scheme", head("GET ftp://test/ HTTP/1.1", host), 400, "malformed_request"},
      {"absolute-form without a host", head("GET http:/// HTTP/1.1", host), 400, "malformed_request"},
      {"authority-form for GET", head("GET test:80 HTTP/1.1", host), 400, "malformed_request"},
      {"CONNECT", head("CONNECT test:80 HTTP/1.1", host), 501, "not_implemented"},
      {"asterisk for GET", head("GET * HTTP/1.1", host), 400, "malformed_request"},
      {"relative target", head("GET index.html HTTP/1.1", host), 400, "malformed_request"},
      {"query as a target", head("GET ?a=b HTTP/1.1", host), 400, "malformed_request"},
      {"fragment in the target", head("GET /#top HTTP/1.1", host), 400, "malformed_request"},
      {"target beyond ASCII", head("GET /\xc3\xa4 HTTP/1.1", host), 400, "malformed_request"},
      {"quotation mark in the target", head("GET /?a=\"b\" HTTP/1.1", host), 400, "malformed_request"},
      {"angle brackets in the target", head("GET /?<script> HTTP/1.1", host), 400, "malformed_request"},
      {"backslash in the path", head("GET /..\\.. HTTP/1.1", host), 400, "malformed_request"},
      {"target that is not UTF-8", head("GET /\xff\xfe HTTP/1.1", host), 400, "malformed_request"},

      {"two blanks behind the method", head("GET  / HTTP/1.1", host), 400, "malformed_request"},
      {"two blanks before the version", head("GET /  HTTP/1.1", host), 400, "malformed_request"},
      {"tab behind the method", head("GET\t/ HTTP/1.1", host), 400, "malformed_request"},
      {"blank at the end of the request line", head("GET / HTTP/1.1 ", host), 400, "malformed_request"},
      {"blank before the method", head(" GET / HTTP/1.1", host), 400, "malformed_request"},
      {"no target", head("GET HTTP/1.1", host), 400, "malformed_request"},
      {"no version", head("GET /", host), 400, "malformed_request"},
      {"version in lower case", head("GET / http/1.1", host), 400, "malformed_request"},
      {"version of one number", head("GET / HTTP/1", host), 400, "malformed_request"},
      {"version that is no number", head("GET / HTTP/1.x", host), 400, "malformed_request"},
      {"long version", head("GET / HTTP/1.10", host), 400, "malformed_request"},
      {"version 2", head("GET / HTTP/2.0", host), 505, "version_not_supported"},
      {"version 0.9", head("GET / HTTP/0.9", host), 505, "version_not_supported"},
      {"method that is no token", head("G(T / HTTP/1.1", host), 400, "malformed_request"},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "version_not_supported"},
      {"TLS hello", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 15), 400,
       "malformed_request"},
      {"five empty lines", "\r\n\r\n\r\n\r\n\r\n" + head(get, host), 400, "malformed_request"},

      {"unknown expectation", head(post, host + five + "Expect: 200-ok\r\n") + "hello", 417,
       "expectation_failed"},
      {"two expectations",
       head(post, host + five + "Expect: 100-continue\r\nExpect: 100-continue\r\n") + "hello", 417,
       "expectation_failed"},

      {"chunk without a size", in_chunks("\r\nhello\r\n0\r\n\r\n"), 400, "malformed_framing"},
      {"chunk size that is no number", in_chunks("xyz\r\nhello\r\n0\r\n\r\n"), 400, "malformed_framing"},
      {"chunk size with 0x", in_chunks("0x5\r\nhello\r\n0\r\n\r\n"), 400, "malformed_framing"},
      {"chunk size with a sign", in_chunks("+5\r\nhello\r\n0\r\n\r\n"), 400, "malformed_framing"},
      {"negative chunk size", in_chunks("-1\r\nhello\r\n0\r\n\r\n"), 400, "malformed_framing"},
      {"chunk size behind a blank", in_chunks(" 5\r\nhello\r\n0\r\n\r\n"), 400, "malformed_framing"},
      {"chunk size before a blank", in_chunks("5 \r\nhello\r\n0\r\n\r\n"), 400, "malformed_framing"},
      {"chunk size beyond 64 bits", in_chunks("10000000000000005\r\nhello\r\n0\r\n\r\n"), 400,
       "malformed_framing"},
      {"chunk size with leading zeros without end", in_chunks("0000000000000000005\r\nhello\r\n0\r\n\r\n"),
       400, "malformed_framing"},
      {"bare line feed behind a chunk size", in_chunks("5\nhello\r\n0\r\n\r\n"), 400, "malformed_framing"},
      {"bare carriage return behind a chunk size", in_chunks("5\rhello\r\n0\r\n\r\n"), 400,
       "malformed_framing"},
      {"chunk longer than its size", in_chunks("5\r\nhello!\r\n0\r\n\r\n"), 400, "malformed_framing"},
      {"chunk shorter than its size", in_chunks("6\r\nhello\r\n0\r\n\r\n"), 400, "malformed_framing"},
      {"chunk that ends in a bare line feed", in_chunks("5\r\nhello\n0\r\n\r\n"), 400, "malformed_framing"},
      {"line feed in a chunk extension", in_chunks("5;a\nb\r\nhello\r\n0\r\n\r\n"), 400, "malformed_framing"},
      {"NUL in a chunk extension", in_chunks("5;a" + nul + "b\r\nhello\r\n0\r\n\r\n"), 400,
       "malformed_framing"},
      {"carriage return in a chunk extension", in_chunks("5;a\rb\r\nhello\r\n0\r\n\r\n"), 400,
       "malformed_framing"},
      {"long chunk extension", in_chunks("5;" + std::string(257, 'e') + "\r\nhello\r\n0\r\n\r\n"), 400,
       "malformed_framing"},
      {"chunk extension without a name", in_chunks("5;\r\nhello\r\n0\r\n\r\n"), 400, "malformed_framing"},
      {"chunk extension without a name before the next", in_chunks("5;;a\r\nhello\r\n0\r\n\r\n"), 400,
       "malformed_framing"},
      {"chunk extension that is a value", in_chunks("5;=a\r\nhello\r\n0\r\n\r\n"), 400, "malformed_framing"},
      {"chunk extension without a value", in_chunks("5;a=\r\nhello\r\n0\r\n\r\n"), 400, "malformed_framing"},
      {"chunk extension with two values", in_chunks("5;a=b=c\r\nhello\r\n0\r\n\r\n"), 400,
       "malformed_framing"},
      {"chunk extension of two words", in_chunks("5;a b\r\nhello\r\n0\r\n\r\n"), 400, "malformed_framing"},
      {"chunk extension with an open quote", in_chunks("5;a=\"b\r\nhello\r\n0\r\n\r\n"), 400,
       "malformed_framing"},
      {"chunk extension behind a quote", in_chunks("5;a=\"b\"c\r\nhello\r\n0\r\n\r\n"), 400,
       "malformed_framing"},
      {"blanks and nothing behind a chunk size", in_chunks("5 \r\nhello\r\n0\r\n\r\n"), 400,
       "malformed_framing"},
      {"blanks inside a chunk size", in_chunks("1 0\r\nhello\r\n0\r\n\r\n"), 400, "malformed_framing"},
      {"value without a name behind a chunk size", in_chunks("5=a\r\nhello\r\n0\r\n\r\n"), 400,
       "malformed_framing"},
      {"trailer without a colon", in_chunks("0\r\nX\r\n\r\n"), 400, "malformed_framing"},
      {"trailer without a name", in_chunks("0\r\n: x\r\n\r\n"), 400, "malformed_framing"},
      {"trailer with a blank before the colon", in_chunks("0\r\nX : x\r\n\r\n"), 400, "malformed_framing"},
      {"folded trailer", in_chunks("0\r\nX: x\r\n y\r\n\r\n"), 400, "malformed_framing"},
      {"trailer with a bare line feed", in_chunks("0\r\nX: x\n\r\n"), 400, "malformed_framing"},
      {"endless trailers", in_chunks("0\r\n" + std::string("X: ") + std::string(9000, 't') + "\r\n\r\n"), 400,
       "malformed_framing"},
      {"chunk above the body's limit", in_chunks("200001\r\nhello"), 413, "payload_too_large"},
      {"length above the body's limit", head(post, host + "Content-Length: 2097153\r\n") + "hello", 413,
       "payload_too_large"},
  };
}

}  // namespace

TEST_CASE("what could be read in two ways is refused, and nothing behind it is served") {
  running server(wire_up);
  const auto smuggled = wire::get("/smuggled");
  for (const auto& each : all_refusals()) {
    CAPTURE(each.why);
    for (const bool bytewise : {false, true}) {
      if (bytewise && each.bytes.size() > 4000) continue;
      CAPTURE(bytewise);
      wire::client c(server.port());
      // A request before it is served; then the bad one, and with it what it might smuggle.
      if (bytewise)
        c.send_bytewise(each.bytes + smuggled);
      else
        c.send(wire::get("/") + each.bytes + smuggled);
      if (!bytewise) CHECK(c.read().value().body == "root");
      const auto refused = c.read();
      REQUIRE(refused);
      CHECK(refused->code == each.code);
      CHECK(refused->error_code() == each.error_code);
      CHECK(refused->header("Connection") == "close");
      CHECK(refused->header("Content-Type") == "application/json");
      CHECK(c.ends());
    }
  }
  CHECK(wire::client(server.port()).ask(wire::get("/")).value().body == "root");
}

TEST_CASE("what is unusual and clear is served") {
  running server(wire_up);
  const std::vector<std::pair<std::string, std::string>> good = {
      {"\r\n\r\n" + wire::get("/"), "root"},
      {head("GET / HTTP/1.1", "host:test\r\n"), "root"},
      {head("GET / HTTP/1.1", "Host:  test \t\r\n"), "root"},
      {head("GET / HTTP/1.1", "Host:\r\n"), "root"},
      {head("GET / HTTP/1.1", "Host: [::1]:8080\r\n"), "root"},
      {head("GET / HTTP/1.1", host + "X-Empty:\r\n"), "root"},
      {head("GET / HTTP/1.1", host + "X-Obs: \xe4\xff\r\n"), "root"},
      {head("GET / HTTP/1.1", host + "Content-Length: 0\r\n"), "root"},
      {head("GET http://test/ HTTP/1.1", host), "root"},
      {head("GET HTTPS://TEST/ HTTP/1.1", host), "root"},
      {head("GET http://test/?a=b HTTP/1.1", host), "root"},
      {head("GET http://other:81/ HTTP/1.1", host), "root"},
      {head("GET http://[::1]/ HTTP/1.1", host), "root"},
      {head("GET http://test HTTP/1.1", host), "root"},
      {head("GET http://test?a=b/c?d HTTP/1.1", host), "root"},
      {head("GET / HTTP/1.2", host), "root"},
      {head("GET http://test HTTP/1.9", host), "root"},
      {head("GET /?a[]={b|c}^`\\d HTTP/1.1", host), "root"},
      {head("POST / HTTP/1.1", host + "content-length: 005\r\n") + "hello", "body:hello"},
      {head("POST / HTTP/1.1", host + "transfer-encoding: CHUNKED\r\n") + "5\r\nhello\r\n0\r\n\r\n",
       "body:hello"},
      {in_chunks("5;a=b;c=\"d\"\r\nhello\r\n0;e\r\n\r\n"), "body:hello"},
      {in_chunks("5 ; a = b\t;c\t= \"d;\\\"\" ;e\r\nhello\r\n0 ;f\r\n\r\n"), "body:hello"},
      {in_chunks("5;a;b=\"\"\r\nhello\r\n0\r\n\r\n"), "body:hello"},
      {in_chunks("00005\r\nhello\r\n000\r\nX-Trailer: dropped\r\nContent-Length: 77\r\n\r\n"), "body:hello"},
      {in_chunks("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n"), "body:01234567890123456789"},
      {in_chunks("0\r\n\r\n"), "body:"},
  };
  for (const auto& [bytes, body] : good) {
    CAPTURE(bytes);
    wire::client c(server.port());
    for (int i = 0; i < 2; ++i) {  // the second one shows that the first was read to its very end
      const auto served = c.ask(bytes);
      REQUIRE(served);
      CHECK(served->code == 200);
      CHECK(served->body == body);
    }
  }
}

TEST_CASE("an absolute target says for which host and path it is") {
  running server([](corbel::route_group routes) {
    routes.get("/*rest", [](const corbel::request& in) {
      return std::string(in.host()) + ' ' + std::string(in.target()) + ' ' + std::string(in.query()) + ' ' +
             std::to_string(in.version());
    });
  });
  const std::vector<std::pair<std::string, std::string>> expected = {
      {head("GET http://other/x?y HTTP/1.1", host), "other /x?y y 11"},
      {head("GET http://Other:81 HTTP/1.1", host), "Other:81 /  11"},
      {head("GET http://other?y=/z HTTP/1.1", host), "other /?y=/z y=/z 11"},
      {head("GET http://other/ HTTP/1.0", "Connection: keep-alive\r\n"), "other /  10"},
      {head("GET http://other?a HTTP/1.3", host), "other /?a a 11"}};
  for (const auto& [bytes, told] : expected) {
    CAPTURE(bytes);
    wire::client c(server.port());
    CHECK(c.ask(bytes).value().body == told);
    CHECK(c.ask(bytes).value().body == told);
  }
  wire::client c(server.port());
  CHECK(c.ask(head("OPTIONS http://other HTTP/1.1", host)).value().code == 204);
}
