#include "corbel/schema/format.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>

using corbel::text_format;
using corbel::schema::is_uri;
using corbel::schema::matches;

namespace {

void all_match(text_format format, std::initializer_list<const char*> texts) {
  for (const char* text : texts) {
    CAPTURE(text);
    CHECK(matches(format, text));
  }
}

void none_match(text_format format, std::initializer_list<const char*> texts) {
  for (const char* text : texts) {
    CAPTURE(text);
    CHECK_FALSE(matches(format, text));
  }
}

}  // namespace

TEST_CASE("email") {
  all_match(text_format::email, {"ada@example.org", "a.b+c@x-y.example", "!#$%&'*+-/=?^_`{|}~@a.b"});
  none_match(text_format::email,
             {"", "ada", "@example.org", "ada@", "ada@localhost", ".a@b.c", "a.@b.c", "a..b@c.d", "a b@c.d",
              "a@b@c.d", "a@-b.c", "a@b-.c", "a@b..c", "a@b.c.", "\"a\"@b.c", "\xc3\xa4@b.c", "a@b.c\n"});
  CHECK(matches(text_format::email, std::string(64, 'a') + "@b.c"));
  CHECK_FALSE(matches(text_format::email, std::string(65, 'a') + "@b.c"));
}

TEST_CASE("url and uri") {
  all_match(text_format::url,
            {"http://a", "https://example.org/path?q=1&r=%20#top", "http://user:pw@h:8080/", "ws://[::1]:80",
             "http://192.0.2.1", "ftp://a_b.example/x;y=1,2", "https://h?q", "https://h#f", "a+b-c.1://h"});
  none_match(text_format::url, {"",
                                "example.org",
                                "/path",
                                "//h/p",
                                "http:",
                                "http:/h",
                                "http://",
                                "http:///p",
                                "http://:80",
                                "http://h:65536",
                                "http://h:8a",
                                "http://h:123456",
                                "http://a b",
                                "http://h/%2",
                                "http://h/%zz",
                                "http://[::1",
                                "http://[1:2]",
                                "1http://h",
                                "mailto:a@b.c",
                                "http://h/\xc3\xa4",
                                "http://h/<>",
                                "http://h/#a#b",
                                "http://h\\x",
                                "http://u@"});
  CHECK(is_uri("mailto:a@b.c"));
  CHECK(is_uri("urn:isbn:0451450523"));
  CHECK(is_uri("file:///etc/hosts"));
  CHECK_FALSE(is_uri("a/b:c"));
  CHECK_FALSE(is_uri(":a"));
}

TEST_CASE("uuid, date-time, date and time") {
  all_match(text_format::uuid,
            {"0190a5b0-6c1e-7cc0-8000-0123456789ab", "0190A5B0-6C1E-7CC0-8000-0123456789AB"});
  none_match(text_format::uuid,
             {"", "0190a5b06c1e7cc080000123456789ab", "{0190a5b0-6c1e-7cc0-8000-0123456789}"});
  all_match(text_format::date_time, {"2026-01-02T03:04:05Z", "2026-01-02t03:04:05.123456789+23:59"});
  none_match(text_format::date_time, {"2026-01-02", "2026-02-30T03:04:05Z", "2026-01-02T03:04:05"});
  all_match(text_format::date, {"2024-02-29", "0001-01-01"});
  none_match(text_format::date, {"2023-02-29", "2024-2-9", "2024-04-31", "2024-02-29 "});
  all_match(text_format::time, {"03:04:05Z", "23:59:60.5Z", "22:29:60-01:30", "01:29:60+01:30"});
  none_match(text_format::time,
             {"", "03:04Z", "03:04:05", "24:00:00Z", "03:60:00Z", "3:04:05Z", "23:59:60-01:30", "12:00:60Z"});
}

TEST_CASE("hostname") {
  const std::string label(63, 'a');
  all_match(text_format::hostname, {"localhost", "a", "www.example.org", "1.2.3.x", "xn--bcher-kva.example"});
  none_match(text_format::hostname, {"", ".", "a.", ".a", "a..b", "-a", "a-", "a_b", "a b",
                                     "b\xc3\xbc"
                                     "cher"});
  CHECK(matches(text_format::hostname, label + ".x"));
  CHECK_FALSE(matches(text_format::hostname, label + "a.x"));
  CHECK(matches(text_format::hostname, label + "." + label + "." + label + "." + std::string(61, 'a')));
  CHECK_FALSE(matches(text_format::hostname, label + "." + label + "." + label + "." + std::string(62, 'a')));
}

TEST_CASE("ipv4 and ipv6") {
  all_match(text_format::ipv4, {"0.0.0.0", "255.255.255.255", "192.0.2.1"});
  none_match(text_format::ipv4, {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1..2.3", "1.2.3.4 ",
                                 "1.2.3.-4", "0x1.2.3.4"});
  all_match(text_format::ipv6,
            {"::", "::1", "1::", "2001:db8::1", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8",
             "::ffff:192.0.2.1", "1:2:3:4:5:6:192.0.2.1", "ABCD::EF01"});
  none_match(text_format::ipv6,
             {"", ":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3",
              "12345::", "g::", "1:2:3:4:5:6:7:8::", "::1.2.3", "1.2.3.4::", "::1%eth0", ":1:2:3:4:5:6:7",
              "1:2:3:4:5:6:7:", "::1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:1.2.3.4"});
}
