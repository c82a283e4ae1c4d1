#include <doctest/doctest.h>

#include "data/postgres/lag_log.hpp"

namespace postgres = corbel::postgres;
using namespace std::chrono_literals;
using steady = postgres::lag_log::steady;

namespace {

postgres::log_position at(std::uint64_t value) {
  return {value};
}

}  // namespace

TEST_CASE("a replica lags by no more than since the primary was seen where it is now") {
  const auto now = steady::now();
  postgres::lag_log log;
  CHECK(log.of(at(7), now, now).most == steady::duration::max());
  log.add(now - 3s, at(10));
  log.add(now - 1s, at(20));
  // Nothing was written since: it is as far as the primary was when it was asked last.
  CHECK(log.of(at(20), now, now).most == 1s);
  const auto behind = log.of(at(19), now - 500ms, now);
  CHECK(behind.most == 3s);
  CHECK(behind.least == 500ms);
  CHECK(behind.unseen == 2s);
  const auto far = log.of(at(9), now, now);
  CHECK(far.most == steady::duration::max());
  CHECK(far.least == 3s);
  CHECK(far.unseen == steady::duration::max());
}

TEST_CASE("a day of looks fits into few samples, and tells of lags of seconds and of hours") {
  const auto now = steady::now();
  const auto began = now - 24h;
  postgres::lag_log log;
  for (auto t = began; t <= now; t += 200ms) log.add(t, at(static_cast<std::uint64_t>((t - began) / 1ms)));
  CHECK(log.size() <= 600);
  for (const steady::duration real : {steady::duration(2s), steady::duration(1min), steady::duration(10min),
                                      steady::duration(5h), steady::duration(23h)}) {
    CAPTURE(real / 1s);
    const auto replayed = at(static_cast<std::uint64_t>((now - real - began) / 1ms));
    const auto lag = log.of(replayed, now, now);
    CHECK(lag.most >= real);
    CHECK(lag.most <= real + real / 16 + 400ms);
    CHECK(lag.least <= real);
    CHECK(lag.least >= real - real / 16 - 400ms);
  }
}
