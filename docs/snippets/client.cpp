#include <doctest/doctest.h>
#include <corbel/corbel.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;

// region: types
struct rate {
  std::string currency;
  double value = 0;
};
constexpr auto describe(corbel::tag<rate>) {
  using namespace corbel::rules;
  // open(): what the other service adds one day is ignored, not refused.
  return object(field("currency", &rate::currency, text().min(3).max(3)),
                field("value", &rate::value, number().min(0)))
      .open();
}
// end: types

struct conversion {
  double amount = 0;
  std::string currency;
};
constexpr auto describe(corbel::tag<conversion>) {
  using namespace corbel::rules;
  return object(field("amount", &conversion::amount), field("currency", &conversion::currency));
}

// region: handler
corbel::task<corbel::result<conversion>> convert(const corbel::request& in, corbel::query<conversion> wanted,
                                                 corbel::state<corbel::client> http) {
  auto call = corbel::outbound::get("http://rates.internal/v1/rates").query("currency", wanted->currency);
  auto reply = co_await http->send(std::move(call).bearer("token").on_behalf_of(in).timeout(2s));
  if (!reply) co_return reply.error();  // 502, 503 or 504; what happened is in the log
  if (reply->code() == 404) co_return corbel::unprocessable("There is no such currency.", "unknown_currency");
  if (auto ok = reply->expect_ok(); !ok) co_return ok.error();
  auto found = reply->json<rate>();
  if (!found) co_return found.error();
  co_return conversion{wanted->amount * found->value, found->currency};
}
// end: handler

// region: hook
corbel::task<corbel::result<void>> call_hook(corbel::state<corbel::client> http, std::string users_url) {
  // A URL that somebody else wrote: what is wrong with it is theirs to mend.
  const auto url = corbel::url::parse(users_url);
  if (!url) co_return corbel::unprocessable("The web hook's URL cannot be called.", "bad_hook_url");
  auto reply = co_await http->send(corbel::outbound::post(url->text()).json_text(R"({"event":"paid"})"));
  if (!reply && reply.error().code() == "address_refused")
    co_return corbel::unprocessable("The web hook's URL leads nowhere public.", "bad_hook_url");
  if (!reply) co_return reply.error();
  co_return reply->expect_ok();
}
// end: hook

// region: download
corbel::task<corbel::result<std::size_t>> count_lines(corbel::state<corbel::client> http, std::string url) {
  auto stream = co_await http->open(corbel::outbound::get(url).timeout(0s).body_limit(1'000'000'000));
  if (!stream) co_return stream.error();
  std::size_t lines = 0;
  for (;;) {
    auto piece = co_await stream->read();  // nothing more is fetched until the next call
    if (!piece) co_return piece.error();
    if (piece->empty()) co_return lines;
    for (const char c : *piece) lines += c == '\n';
  }
}
// end: download

corbel::task<corbel::no_content> hook(corbel::state<corbel::client> http,
                                      corbel::header<std::string, "X-Url"> url) {
  auto done = co_await call_hook(http, *url);
  done.value();
  co_return corbel::no_content{};
}

corbel::task<std::string> lines(corbel::state<corbel::client> http) {
  auto counted = co_await count_lines(http, "http://files.internal/log");
  co_return std::to_string(counted.value());
}

}  // namespace

TEST_CASE("an app calls other services through one client") {
  // region: wiring
  auto settings = corbel::client_settings::for_own_services();
  settings.timeouts.connect = 1s;
  corbel::client http(settings);

  corbel::app server;
  server.provide(http).component("http client", {}, [&] { return http.stop(); });
  server.get("/convert", &convert);
  // end: wiring
  CHECK(server.inject(corbel::get("/convert?amount=1&currency=EUR").header("X-Request-Id", "one")).code() ==
        502);
}

TEST_CASE("a handler's test answers in the place of the other service") {
  // region: fake
  auto http =
      corbel::client::fake([](const corbel::outbound& call) -> corbel::result<corbel::client_response> {
        if (call.query_pairs().at(0).second != "EUR")
          return corbel::client_response(corbel::status::not_found);
        return corbel::client_response(corbel::status::ok, R"({"currency":"EUR","value":2,"new":true})");
      });
  corbel::app server;
  server.provide(http);
  server.get("/convert", &convert);

  CHECK(server.inject(corbel::get("/convert?amount=4&currency=EUR")).json<conversion>()->amount == 8);
  CHECK(server.inject(corbel::get("/convert?amount=4&currency=ZZZ")).code() == 422);
  // end: fake
}

TEST_CASE("the page's other calls do what it says") {
  auto http = corbel::client::fake([](const corbel::outbound&) -> corbel::result<corbel::client_response> {
    return corbel::client_response(corbel::status::ok, "a\nb\n");
  });
  corbel::app server;
  server.provide(http);
  server.get("/lines", &lines);
  server.get("/hook", &hook);
  CHECK(server.inject(corbel::get("/lines")).body() == "2");
  CHECK(server.inject(corbel::get("/hook").header("X-Url", "https://shop.example/hook")).code() == 204);
  CHECK(server.inject(corbel::get("/hook").header("X-Url", "http://0x7f.1/")).code() == 422);

  corbel::client real(corbel::client_settings::for_user_supplied_urls());
  corbel::app open;
  open.provide(real);
  open.get("/hook", &hook);
  const auto refused = open.inject(corbel::get("/hook").header("X-Url", "http://127.0.0.1/"));
  CHECK(refused.code() == 422);
  CHECK(refused.body().find("bad_hook_url") != std::string::npos);
}
