#include "corbel/http/field.hpp"

#include <doctest/doctest.h>

#include <string>

#include "corbel/http/method.hpp"
#include "corbel/http/status.hpp"

using namespace corbel;

TEST_CASE("a token is what RFC 9110 says, byte by byte") {
  const std::string_view good =
      "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (int c = 0; c < 256; ++c) {
    const std::string one(1, static_cast<char>(c));
    CAPTURE(c);
    CHECK(is_token(one) == (good.find(one) != good.npos));
    CHECK(is_token("a" + one) == (good.find(one) != good.npos));
  }
  CHECK_FALSE(is_token(""));
}

TEST_CASE("a field value holds no control character and no blank at its ends") {
  for (int c = 0; c < 256; ++c) {
    const auto text = std::string("a") + static_cast<char>(c) + "b";
    CAPTURE(c);
    CHECK(is_field_value(text) == ((c >= 0x20 && c != 0x7f) || c == '\t'));
  }
  CHECK(is_field_value(""));
  CHECK(is_field_value("a b\tc"));
  for (const auto* bad : {" a", "a ", "\ta", "a\t", " ", "\t"}) CHECK_FALSE(is_field_value(bad));
}

TEST_CASE("a control character is found at every place of a long value, and nothing else is") {
  for (std::size_t size = 1; size < 40; ++size)
    for (std::size_t at = 0; at < size; ++at)
      for (int c = 0; c < 256; ++c)
        for (const char other : {'a', ' ', '\t', '!', '\x80', '\xff', '~'}) {
          std::string text(size, other);
          text[at] = static_cast<char>(c);
          REQUIRE(has_control(text) == ((c < 0x20 && c != '\t') || c == 0x7f));
        }
}

TEST_CASE("names are compared without case, and letters alone") {
  CHECK(iequals("Content-Length", "cONTENT-lENGTH"));
  CHECK_FALSE(iequals("a", "ab"));
  CHECK_FALSE(iequals("@", "`"));
  CHECK_FALSE(iequals("[", "{"));
  CHECK_FALSE(iequals("\xc4", "\xe4"));
}

TEST_CASE("lists are cut at their commas") {
  CHECK(list_contains("a, Close ,b", "close"));
  CHECK(list_contains("close", "close"));
  CHECK_FALSE(list_contains("closed, xclose", "close"));
  CHECK_FALSE(list_contains("", "close"));
  CHECK_FALSE(list_contains(",,", "close"));
  std::string_view rest = " a ;; b";
  CHECK(next_item(rest, ';') == "a");
  CHECK(next_item(rest, ';') == "");
  CHECK(next_item(rest, ';') == "b");
  CHECK(rest.empty());
  CHECK(trim_space("\t a b \t") == "a b");
  CHECK(trim_space(" \t ") == "");
}

TEST_CASE("a separator inside a quoted string separates nothing") {
  std::string_view rest = R"( a="1,2" , b="\",\\" ,, c="open, d)";
  CHECK(next_quoted_item(rest) == R"(a="1,2")");
  CHECK(next_quoted_item(rest) == R"(b="\",\\")");
  CHECK(next_quoted_item(rest) == "");
  CHECK(next_quoted_item(rest) == R"(c="open, d)");
  CHECK(rest.empty());
  rest = "\"\\";
  CHECK(next_quoted_item(rest) == "\"\\");
  CHECK(rest.empty());
}

TEST_CASE("tokens and quoted strings are read, and nothing else") {
  CHECK(unquote("abc") == "abc");
  CHECK(unquote("\"\"") == "");
  CHECK(unquote(R"("a \"b\" \c, d")") == R"(a "b" c, d)");
  for (const std::string bad :
       {"", "a b", "\"", "\"a", "a\"", R"("a"b")", R"("\")", R"("a\")", "\"a\x01\"", "a,b"})
    CHECK_MESSAGE(!unquote(bad), bad);
}

TEST_CASE("methods go by their exact names") {
  for (const auto m : {method::get, method::head, method::post, method::put, method::patch, method::del,
                       method::options, method::connect, method::trace})
    CHECK(method_of(to_string(m)) == m);
  for (const auto* name : {"get", "Get", "", "OTHER", "GETX", "PURGE"})
    CHECK(method_of(name) == method::other);
}

TEST_CASE("every kind of error has its status, and every status of ours its phrase") {
  const std::pair<error_kind, int> all[] = {{error_kind::malformed, 400},
                                            {error_kind::invalid, 400},
                                            {error_kind::unauthenticated, 401},
                                            {error_kind::forbidden, 403},
                                            {error_kind::not_found, 404},
                                            {error_kind::method_not_allowed, 405},
                                            {error_kind::not_acceptable, 406},
                                            {error_kind::request_timeout, 408},
                                            {error_kind::conflict, 409},
                                            {error_kind::precondition_failed, 412},
                                            {error_kind::payload_too_large, 413},
                                            {error_kind::uri_too_long, 414},
                                            {error_kind::unsupported_media_type, 415},
                                            {error_kind::range_not_satisfiable, 416},
                                            {error_kind::expectation_failed, 417},
                                            {error_kind::unprocessable, 422},
                                            {error_kind::precondition_required, 428},
                                            {error_kind::too_many_requests, 429},
                                            {error_kind::headers_too_large, 431},
                                            {error_kind::internal, 500},
                                            {error_kind::not_implemented, 501},
                                            {error_kind::bad_gateway, 502},
                                            {error_kind::unavailable, 503},
                                            {error_kind::deadline_exceeded, 504},
                                            {error_kind::version_not_supported, 505}};
  for (const auto& [kind, code] : all) {
    CHECK(static_cast<int>(status_of(kind)) == code);
    CHECK_FALSE(reason_phrase(status_of(kind)).empty());
  }
  CHECK(reason_phrase(static_cast<status>(299)).empty());
}
