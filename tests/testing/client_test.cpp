#include "corbel/testing/client.hpp"

#include <doctest/doctest.h>

using namespace corbel;

namespace {

struct greeting {
  std::string name;
};
constexpr auto describe(tag<greeting>) {
  using namespace rules;
  return object(field("name", &greeting::name, text().min(2)));
}

created<greeting> greet(body<greeting> in) {
  return created(*std::move(in)).at("/greetings/1");
}
std::string tell(header<std::string, "X-Who"> who) {
  return *who;
}

std::string message_of(auto act) {
  try {
    act();
  } catch (const testing::unexpected& e) {
    return e.what();
  }
  return {};
}

struct greeter {
  app server{{.log = logger()}};
  testing::client api{server};
  greeter() {
    server.post("/greetings", &greet);
    server.get("/who", &tell);
  }
};

}  // namespace

TEST_CASE("a request is written, sent and read back in one line") {
  greeter it;
  const auto made = it.api.post("/greetings").json(R"({"name":"Ada"})").expect(status::created);
  CHECK(made.json<greeting>().name == "Ada");
  CHECK(made.header("Location") == "/greetings/1");
  CHECK(made.header("No-Such") == "");
  CHECK(it.api.post("/greetings").json(greeting{"Bob"}).expect(status::created).body() ==
        R"({"name":"Bob"})");
  CHECK(it.api.get("/who").header("X-Who", "me").send().body() == "me");
}

TEST_CASE("what is always sent is sent with every request") {
  greeter it;
  it.api.always("X-Who", "you");
  CHECK(it.api.get("/who").expect(status::ok).body() == "you");
  CHECK(it.api.request("HEAD", "/who").expect(status::ok).header("Content-Type") ==
        "text/plain; charset=utf-8");
}

TEST_CASE("the error envelope is expected by code, violation and header") {
  greeter it;
  it.api.post("/greetings")
      .json(R"({"name":"x"})")
      .expect(status::bad_request)
      .expect_code("validation_failed")
      .expect_violation("/name", "minLength")
      .expect_header("Content-Type", "application/json");
}

TEST_CASE("an expectation that does not hold shows the request and the response") {
  greeter it;
  const auto wrong_status =
      message_of([&] { it.api.post("/greetings").json(R"({"name":"x"})").expect(status::created); });
  for (const auto* part : {"expected 201 Created", "POST /greetings HTTP/1.1", R"({"name":"x"})",
                           "400 Bad Request", "Content-Type: application/json", "validation_failed"})
    CHECK_MESSAGE(wrong_status.find(part) != std::string::npos, part, " in ", wrong_status);

  const auto refused = it.api.post("/greetings").json(R"({"name":"x"})").send();
  CHECK(message_of([&] { refused.expect_code("other"); }).find("the error code other") != std::string::npos);
  CHECK(message_of([&] { refused.expect_violation("/name", "maxLength"); }).find("maxLength") !=
        std::string::npos);
  CHECK(message_of([&] { refused.expect_header("Location", "/x"); }).find("Location: /x") !=
        std::string::npos);
  CHECK(message_of([&] { (void)refused.json<greeting>(); }).find("read as the type") != std::string::npos);
}

TEST_CASE("a long body is cut in the message") {
  greeter it;
  const auto message = message_of([&] {
    it.api.post("/greetings").json("{\"name\":\"" + std::string(50'000, 'a') + "\"}").expect(status::ok);
  });
  CHECK(message.size() < 10'000);
  CHECK(message.find("bytes)") != std::string::npos);
}
