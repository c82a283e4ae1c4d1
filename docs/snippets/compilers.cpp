#include <doctest/doctest.h>
#include <corbel/corbel.hpp>

#include <string>
#include <utility>

namespace {

// region: types
struct news {
  std::string title;
  std::string text;
};
constexpr auto describe(corbel::tag<news>) {
  using namespace corbel::rules;
  return object(field("title", &news::title), field("text", &news::text));
}
// end: types

// region: named
corbel::task<std::string> announce(corbel::body<news> in, corbel::state<corbel::client> http,
                                   corbel::state<corbel::blocking_pool> pool) {
  const auto shout = [text = in->text] { return text + '!'; };
  auto text = co_await pool->run(shout);
  const news made{in->title, std::move(text)};
  auto reply = co_await http->send(corbel::outbound::post("http://news.internal/").json(made));
  co_return reply.value().body();
}
// end: named

}  // namespace

TEST_CASE("the compilers page says what to write") {
  const auto echo = [](const corbel::outbound& asked) {
    return corbel::client_response(corbel::status::ok, asked.body());
  };
  auto http = corbel::client::fake(echo);
  corbel::blocking_pool pool(1, 10);
  corbel::app server;
  server.provide(http).provide(pool);
  server.post("/announce", &announce);
  const auto out = server.inject(corbel::post("/announce").json(R"({"title":"Moon","text":"landed"})"));
  CHECK(out.body() == R"({"title":"Moon","text":"landed!"})");
  pool.stop();
}
