#include "corbel/http/cookie_keys.hpp"

#include <doctest/doctest.h>

#include <random>
#include <stdexcept>
#include <string>

#include "http/request_access.hpp"

using namespace corbel;
using std::chrono::hours;
using std::chrono::milliseconds;

namespace {

const std::string secret_1 = "4bLkVbJ0l8nq1mW4g0l5w0mQe0m8bJ4mWb8k1xkq7aE=";
const std::string secret_2 = "Zk3v0l8nq1mW4g0l5w0mQe0m8bJ4mWb8k1xkq7aE4bL=";
const timestamp now{milliseconds(1'767'323'045'678)};

struct described_value {
  int id = 0;
};
constexpr auto describe(tag<described_value>) {
  using namespace corbel::rules;
  return object(field("id", &described_value::id));
}

}  // namespace

TEST_CASE("what was signed or sealed comes back under its name, and under no other") {
  const cookie_keys keys{secret_1};
  for (const std::string& value :
       {std::string(), std::string("42"), std::string("a; b=\"c\"\r\n\0\xff", 13)}) {
    const auto made = keys.sign("uid", value);
    CHECK(keys.verify("uid", made.value(), now) == value);
    CHECK_FALSE(keys.verify("uid2", made.value(), now));
    CHECK_FALSE(keys.open("uid", made.value(), now));
    const auto sealed = keys.seal("uid", value);
    CHECK(keys.open("uid", sealed.value(), now) == value);
    CHECK_FALSE(keys.open("uid2", sealed.value(), now));
    CHECK_FALSE(keys.verify("uid", sealed.value(), now));
    CHECK(made.text().find("; Secure; HttpOnly; SameSite=Lax") != std::string::npos);
    CHECK_FALSE(cookie_keys{secret_2}.verify("uid", made.value(), now));
    CHECK_FALSE(cookie_keys{secret_2}.open("uid", sealed.value(), now));
  }
  CHECK(keys.sign("uid", described_value{7}).value().substr(0, 11) == "eyJpZCI6N30");  // {"id":7}
  CHECK(keys.open("uid", keys.seal("uid", described_value{7}).value(), now) == R"({"id":7})");
}

// Recorded, and made again with another implementation: what was signed before stays valid.
TEST_CASE("the signed format does not change") {
  CHECK(cookie_keys{secret_1}.sign("uid", "42", now).value() ==
        "NDI.1767323045678.HCtQdNKZCLX_qF4mn_8JPAY7DGXEAMtBB9syOZ3CoMo");
}

TEST_CASE("a secret is replaced without anyone noticing") {
  const cookie_keys before{secret_1};
  const cookie_keys after{secret_2, secret_1};
  CHECK(after.verify("uid", before.sign("uid", "42").value(), now) == "42");
  CHECK(after.open("uid", before.seal("uid", "42").value(), now) == "42");
  CHECK_FALSE(before.verify("uid", after.sign("uid", "42").value(), now));
  CHECK(cookie_keys{secret_2}.verify("uid", after.sign("uid", "42").value(), now) == "42");
}

TEST_CASE("an end is kept by the value itself") {
  const cookie_keys keys{secret_1};
  const auto made = keys.sign("uid", "42", now + hours(1));
  const auto sealed = keys.seal("uid", "42", now + hours(1));
  CHECK(made.text().find("; Expires=Fri, 02 Jan 2026 04:04:05 GMT") != std::string::npos);
  CHECK(keys.verify("uid", made.value(), now + hours(1) - milliseconds(1)) == "42");
  CHECK_FALSE(keys.verify("uid", made.value(), now + hours(1)));
  CHECK(keys.open("uid", sealed.value(), now + hours(1) - milliseconds(1)) == "42");
  CHECK_FALSE(keys.open("uid", sealed.value(), now + hours(1)));
}

TEST_CASE("every change is found") {
  const cookie_keys keys{secret_1, secret_2};
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=%; ";
  std::mt19937 random(20260306);
  const auto made = keys.sign("uid", "42", now + hours(1)).value();
  const auto sealed = keys.seal("uid", "42", now + hours(1)).value();
  for (const auto& good : {made, sealed})
    for (std::size_t at = 0; at < good.size(); ++at) {
      for (int i = 0; i < 8; ++i) {
        auto bad = good;
        bad[at] = alphabet[random() % alphabet.size()];
        if (bad == good) continue;
        REQUIRE_FALSE(keys.verify("uid", bad, now));
        REQUIRE_FALSE(keys.open("uid", bad, now));
      }
      REQUIRE_FALSE(keys.verify("uid", good.substr(0, at), now));
      REQUIRE_FALSE(keys.open("uid", good.substr(0, at), now));
    }
  for (const auto& noise :
       {std::string(), std::string("."), std::string(".."), std::string("..."), std::string(5000, 'A'),
        '.' + made, made + '.', made + made, std::string("NDI..")}) {
    CHECK_FALSE(keys.verify("uid", noise, now));
    CHECK_FALSE(keys.open("uid", noise, now));
  }
}

TEST_CASE("a weak secret is refused, with the way to a good one") {
  CHECK_THROWS_WITH_AS(cookie_keys{std::string(31, 'x')}, doctest::Contains("openssl rand -base64 32"),
                       std::invalid_argument);
  CHECK_THROWS_AS((cookie_keys{secret_1, ""}), std::invalid_argument);
  CHECK_THROWS_AS(cookie_keys(std::vector<std::string>()), std::invalid_argument);
  CHECK_NOTHROW(cookie_keys{std::string(32, 'x')});
}

TEST_CASE("a request's cookie is found behind a false one of its name") {
  const cookie_keys keys{secret_1};
  const auto header = [&](const std::string& text) {
    request in;
    request_access(in).add_header("Cookie", text);
    return keys.read_signed(in, "uid").value_or("none");
  };
  const auto good = "uid=" + keys.sign("uid", "42").value();
  CHECK(header(good) == "42");
  CHECK(header("uid=planted; " + good) == "42");
  CHECK(header("uid=planted") == "none");
  CHECK(header("") == "none");
  std::string many;
  for (int i = 0; i < 300; ++i) many += "uid=planted; ";
  CHECK(header(many + good) == "none");
  request in;
  request_access(in).add_header("Cookie", "a=b");
  const auto sealed = "uid=" + keys.seal("uid", "secret").value();
  request_access(in).add_header("Cookie", sealed);
  CHECK(keys.read_sealed(in, "uid") == "secret");
}
