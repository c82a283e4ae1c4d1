#include <doctest/doctest.h>
#include <corbel/corbel.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <corbel/http/problem.hpp>

namespace {

// region: own
// A code for programs, a sentence for people, and facts that programs can use. Written once, where the
// service keeps its errors.
corbel::error out_of_stock(int left) {
  return corbel::unprocessable("There are not so many left.", "out_of_stock")
      .detail("left", std::to_string(left));
}

// Any kind has its status: of this one it is 429, with `Retry-After`.
corbel::error too_many_orders() {
  return corbel::error(corbel::error_kind::too_many_requests, "too_many_orders",
                       "You order faster than we can pack. Try again in a minute.")
      .retry_after(std::chrono::minutes(1));
}

// What really happened is for the log alone.
corbel::error shelf_lost(const std::string& shelf) {
  return corbel::unavailable("The stock cannot be read at the moment.").because("no answer from " + shelf);
}

corbel::result<std::string> order(corbel::path<int, "count"> count) {
  if (*count > 1000) return too_many_orders();
  if (*count == 13) return shelf_lost("shelf-7.internal");
  if (*count > 3) return out_of_stock(3);
  return "ordered " + std::to_string(*count);
}
// end: own

// region: hook
// So many requests for each client, for ever: a sketch that shows how a hook refuses.
class quota {
 public:
  explicit quota(int each) : each_(each), used_(std::make_shared<used>()) {}

  corbel::flow before(corbel::request& in, corbel::response& out) const {
    if (take(std::string(in.client()))) return corbel::flow::proceed;
    corbel::problem::write(in, too_many_orders(), out);  // the envelope, as every error has it
    return corbel::flow::stop;                           // no later layer and no handler sees the request
  }

 private:
  struct used {
    std::mutex mutex;
    std::map<std::string, int> by_client;
  };
  bool take(const std::string& client) const {
    const std::lock_guard lock(used_->mutex);
    return ++used_->by_client[client] <= each_;
  }
  int each_;
  std::shared_ptr<used> used_;
};

// The same by an exception, for what is deep inside.
struct members_only {
  corbel::flow before(corbel::request& in, corbel::response&) const {
    if (!in.header("X-Member")) throw corbel::failure(corbel::forbidden("This is for members."));
    return corbel::flow::proceed;
  }
};
// end: hook

}  // namespace

TEST_CASE("the page of errors does what it says") {
  const auto lines = std::make_shared<corbel::captured_log>();
  corbel::app_settings settings;
  settings.log = corbel::logger(lines);
  corbel::app server(settings);
  // region: mount
  server.post("/orders/:count", &order);
  server.group("/members").use(members_only{}).get("/news", [] { return std::string("news"); });
  server.group("/scarce").use(quota(1)).get("/thing", [] { return std::string("here"); });
  // end: mount
  const auto order_of = [&](int count) {
    return server.inject(corbel::post("/orders/" + std::to_string(count)));
  };
  CHECK(order_of(2).body() == "ordered 2");
  CHECK(order_of(4).code() == 422);
  CHECK(order_of(4).body().find(R"("code":"out_of_stock")") != std::string::npos);
  CHECK(order_of(4).body().find(R"("details":{"left":"3"})") != std::string::npos);
  CHECK(order_of(2000).code() == 429);
  CHECK(order_of(2000).header("Retry-After") == "60");
  CHECK(order_of(13).code() == 503);
  CHECK(order_of(13).body().find("shelf-7") == std::string::npos);
  CHECK(lines->contains("no answer from shelf-7.internal"));
  CHECK(server.inject(corbel::get("/members/news")).code() == 403);
  CHECK(server.inject(corbel::get("/members/news").header("X-Member", "1")).code() == 200);
  CHECK(server.inject(corbel::get("/scarce/thing")).code() == 200);
  CHECK(server.inject(corbel::get("/scarce/thing")).code() == 429);
}
