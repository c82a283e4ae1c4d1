#include "corbel/http/problem.hpp"

#include <doctest/doctest.h>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "corbel/http/context.hpp"
#include "http/request_access.hpp"

using namespace corbel;

namespace {

class still_clock final : public corbel::clock {
 public:
  timestamp now() const noexcept override { return timestamp(std::chrono::milliseconds(1767323045678)); }
  std::chrono::steady_clock::time_point steady() const noexcept override { return {}; }
};

struct fixture {
  still_clock time;
  std::shared_ptr<captured_log> lines = std::make_shared<captured_log>();
  app_context context{&time, logger(lines), {}};
  request in;
  response out;

  fixture() {
    request_access access(in);
    access.start_line("POST", "/api/v1/projects?x=1", 11);
    access.context(context);
    in.id("the-id");
  }
  nlohmann::json write(const error& e) {
    problem::write(in, e, out);
    return nlohmann::json::parse(out.body());
  }
  void accept(std::string_view value) { request_access(in).add_header("Accept", value); }
};

}  // namespace

TEST_CASE("the envelope is exactly as the design has it") {
  fixture f;
  problem::write(f.in, invalid({{"body", "/name", "minLength", "must have at least 3 characters"}}), f.out);
  CHECK(f.out.status() == status::bad_request);
  CHECK(f.out.header("Content-Type") == "application/json");
  CHECK(f.out.header("Vary") == "Accept");
  const auto body = nlohmann::ordered_json::parse(f.out.body());
  CHECK(
      body.dump() ==
      R"({"code":"validation_failed","message":")" + body["message"].get<std::string>() +
          R"(","details":{"errors":[{"in":"body","path":"/name","rule":"minLength","message":"must have at least 3 characters"}]},)"
          R"("timestamp":"2026-01-02T03:04:05.678Z","path":"/api/v1/projects","requestId":"the-id"})");
}

TEST_CASE("an error without details has an empty object of them") {
  fixture f;
  CHECK(f.write(not_found("No such project."))["details"].dump() == "{}");
  CHECK(f.write(conflict("Taken.").detail("name", "Apollo").detail("n", "1"))["details"].dump() ==
        R"({"n":"1","name":"Apollo"})");
  auto e = invalid({{"body", "/a", "r", "m"}, {"query", "/b", "r", "m"}});
  CHECK(f.write(std::move(e).detail("x", "y"))["details"]["errors"].size() == 2);
}

TEST_CASE("RFC 9457 is for who asks for it") {
  const auto type_for = [](std::vector<std::string> accepts) {
    fixture f;
    for (const auto& each : accepts) f.accept(each);
    problem::write(f.in, not_found("no"), f.out);
    return std::string(*f.out.header("Content-Type"));
  };
  const std::string wanted = "application/problem+json";
  for (const std::string yes :
       {"application/problem+json", "APPLICATION/Problem+JSON", "text/html, application/problem+json;q=0.5",
        "application/problem+json ; charset=utf-8 ; q=1", "application/json, application/problem+json",
        "application/problem+json;q=0.001"})
    CHECK_MESSAGE(type_for({yes}) == wanted, yes);
  for (const std::string no :
       {"", "*/*", "application/*", "application/json", "application/problem+json;q=0",
        "application/problem+json; q=0.0", "application/problem+json;q=0.000", "application/problem+json;Q=0",
        "application/problem+jsonx", "text/application/problem+json",
        "application/json, application/problem+json;q=0.5", "application/problem+json;q=2"})
    CHECK_MESSAGE(type_for({no}) == "application/json", no);
  CHECK(type_for({"text/html", "application/problem+json"}) == wanted);
}

TEST_CASE("both forms tell the same facts") {
  fixture f;
  f.accept("application/problem+json");
  const auto body = f.write(conflict("Taken.", "name_taken").detail("name", "Apollo"));
  CHECK(body["type"] == "about:blank");
  CHECK(body["title"] == "Conflict");
  CHECK(body["status"] == 409);
  CHECK(body["detail"] == "Taken.");
  CHECK(body["instance"] == "/api/v1/projects");
  CHECK(body["code"] == "name_taken");
  CHECK(body["details"]["name"] == "Apollo");
  CHECK(body["timestamp"] == "2026-01-02T03:04:05.678Z");
  CHECK(body["requestId"] == "the-id");
}

TEST_CASE("what really happened goes to the log and never to the client") {
  fixture f;
  const auto body = f.write(internal_error("password of db is hunter2"));
  CHECK(body.dump().find("hunter2") == std::string::npos);
  CHECK(f.lines->contains("hunter2"));
  CHECK(f.lines->contains("the-id"));
  f.lines->clear();
  problem::write(f.in, not_found("no"), f.out);
  CHECK(f.lines->lines().empty());
  problem::write(f.in, unavailable("busy").because("queue full"), f.out);
  CHECK(f.lines->contains("queue full"));
  CHECK(f.out.body().find("queue") == std::string::npos);
}

TEST_CASE("an error replaces what was there, but for the order to close") {
  fixture f;
  f.out.set("Set-Cookie", "a=b");
  f.out.body("half a page", "text/html");
  f.out.close();
  problem::write(f.in, unavailable("later").retry_after(std::chrono::seconds(7)), f.out);
  CHECK_FALSE(f.out.header("Set-Cookie"));
  CHECK(f.out.header("Retry-After") == "7");
  CHECK(f.out.header("Content-Type") == "application/json");
  CHECK(f.out.body().front() == '{');
  CHECK(f.out.closes());
}

TEST_CASE("hostile texts leave the envelope valid JSON") {
  fixture f;
  request_access(f.in).start_line("G", "/\xff\xfe\"\\\x01\xc3(", 11);
  f.in.id("\"},{\"");
  const auto body =
      f.write(malformed("quote \" backslash \\ newline \n bad \xff").detail("k\"\xfe", "v\x02"));
  CHECK(body["requestId"] == "\"},{\"");
  CHECK(body["code"] == "malformed");
}

TEST_CASE("an exception is the error inside it, or a surprise") {
  const auto of = [](auto thrown) { return problem::from_exception(std::make_exception_ptr(thrown)); };
  CHECK(of(failure(not_found("no", "no_such"))).code() == "no_such");
  CHECK(of(std::runtime_error("disk")).kind() == error_kind::internal);
  CHECK(of(std::runtime_error("disk")).cause() == "disk");
  CHECK(of(std::runtime_error("disk")).message().find("disk") == std::string::npos);
  CHECK(of(7).kind() == error_kind::internal);
  CHECK(of(boost::system::system_error(boost::asio::error::operation_aborted)).code() == "cancelled");
  CHECK(of(boost::system::system_error(boost::asio::error::eof)).kind() == error_kind::internal);
}
