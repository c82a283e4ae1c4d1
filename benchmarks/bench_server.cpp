// The server that load tests measure: bench_server --port N --threads N
//
// With DATABASE_URL it answers the database scenarios, too (service/database_routes.hpp).
//
// Everything goes the way of any application: routing, extraction, the default middleware, JSON.
#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <corbel/corbel.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <optional>
#include <string_view>

#include "service/database.hpp"
#include "service/database_routes.hpp"
#include "service/routes.hpp"

namespace {

/// Wastes that much CPU on every request, or on one of `every`: the planted slowdown that the gate must
/// notice (`--burn NANOSECONDS --burn-every N`).
class burn {
 public:
  burn(std::chrono::nanoseconds each, std::uint32_t every)
      : turns_(turns_in(each)), every_(std::max(every, std::uint32_t{1})) {}
  corbel::flow before(corbel::request&, corbel::response&) const {
    static std::atomic<std::uint32_t> asked = 0;
    if (asked.fetch_add(1, std::memory_order_relaxed) % every_ == 0) spin(turns_);
    return corbel::flow::proceed;
  }

 private:
  // Counted turns and not a look at the clock, so that being interrupted does not shorten the waste.
  static void spin(std::uint64_t turns) {
    wait_for_all();
    for (volatile std::uint64_t i = 0; i < turns;) i = i + 1;
    wait_for_all();
  }
  // Otherwise the processor would do the request's other work beside a short waste, which then costs half.
  static void wait_for_all() {
#if defined(__x86_64__)
    __builtin_ia32_lfence();
#endif
  }
  static std::uint64_t turns_in(std::chrono::nanoseconds wanted) {
    constexpr std::uint64_t sample = 2'000'000;
    auto best = std::chrono::nanoseconds::max();
    for (int i = 0; i < 10; ++i) {
      const auto from = std::chrono::steady_clock::now();
      spin(sample);
      best = std::min(best, std::chrono::nanoseconds(std::chrono::steady_clock::now() - from));
    }
    return static_cast<std::uint64_t>(wanted.count()) * sample / static_cast<std::uint64_t>(best.count());
  }

  std::uint64_t turns_;
  std::uint32_t every_;
};

corbel::task<> stop(corbel::data::database db) {
  db.stop();
  co_return;
}

/// The value behind `name`, or `otherwise`; ends the program over anything that is no number.
template <class Number>
Number option(int argc, char** argv, std::string_view name, Number otherwise) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (name != argv[i]) continue;
    Number value{};
    const char* end = argv[i + 1] + std::strlen(argv[i + 1]);
    if (std::from_chars(argv[i + 1], end, value).ptr == end) return value;
    std::fprintf(stderr, "bench_server: %s takes a number, not \"%s\"\n", argv[i], argv[i + 1]);
    std::exit(64);
  }
  return otherwise;
}

}  // namespace

int main(int argc, char** argv) try {
  corbel::app_settings settings;
  settings.server.port = option<std::uint16_t>(argc, argv, "--port", 18080);
  settings.server.threads = option<std::size_t>(argc, argv, "--threads", 1);
  const auto wasted = option<std::uint32_t>(argc, argv, "--burn", 0);
  std::optional<corbel::data::database> db;
  if (const char* const url = std::getenv("DATABASE_URL")) db = open_database(url);
  corbel::app server(std::move(settings));
  const auto every = option<std::uint32_t>(argc, argv, "--burn-every", 1);
  if (wasted) server.use(burn(std::chrono::nanoseconds(wasted), every));
  add_measured_routes(server.routes());
  if (db) {
    server.provide(*db).component("database", {}, [&] { return stop(*db); });
    add_database_routes(server.routes());
  }
  return server.run();
} catch (const std::exception& why) {
  std::fprintf(stderr, "bench_server: %s\n", why.what());
  return 1;
}
