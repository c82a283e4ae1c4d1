#include "observe/redact.hpp"

#include <doctest/doctest.h>

#include "corbel/observe/log.hpp"

using corbel::observe::secret_names;
using corbel::observe::without_passwords;

TEST_CASE("names of secrets are known however they are written") {
  const secret_names names(corbel::log_options{}.secrets, {"tokenCount"});
  for (const char* name : {"password", "Password", "dbPassword", "PASSWORD_HASH", "token", "accessToken",
                           "X-Refresh-Token", "authorization", "Proxy-Authorization", "cookie", "Set-Cookie",
                           "secret", "clientSecret", "apiKey", "api_key", "X-API-Key", "private-key"}) {
    CAPTURE(name);
    CHECK(names.covers(name));
  }
  for (const char* name :
       {"projectId", "", "key", "author", "durationMs", "pass", "tokenCount", "token_count"}) {
    CAPTURE(name);
    CHECK_FALSE(names.covers(name));
  }
}

TEST_CASE("passwords of URLs and connection strings are hidden, and nothing else is") {
  CHECK(without_passwords("postgres://app:s3cret@db:5432/main") == "postgres://app:***@db:5432/main");
  CHECK(without_passwords("redis://:s3cret@cache") == "redis://:***@cache");
  CHECK(without_passwords("postgres://app:p@ss:w@rd@db/main") == "postgres://app:***@db/main");
  CHECK(without_passwords("from a://u:1@h to b://u:2@h!") == "from a://u:***@h to b://u:***@h!");
  CHECK(without_passwords("host=db PassWord=abc user=app") == "host=db PassWord=*** user=app");
  CHECK(without_passwords("password='a b\\' c' user=app") == "password=*** user=app");
  CHECK(without_passwords("/login?password=abc&next=/") == "/login?password=***&next=/");
  CHECK(without_passwords("password=") == "password=***");
  for (const char* text : {"https://example.com:8080/a@b:c", "postgres://app@db/main", "://", "a://",
                           "mail me: a@b", "", "password: none", "https://user@host/?x=1:2@3"}) {
    CAPTURE(text);
    CHECK(without_passwords(text) == text);
  }
}
