#include "load/histogram.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>
#include <vector>

using load::histogram;
using std::chrono::nanoseconds;

namespace {

/// The value that at least q of all do not exceed, from the values themselves.
std::int64_t exact(const std::vector<std::int64_t>& sorted, double q) {
  const auto rank = std::max(1.0, std::ceil(q * static_cast<double>(sorted.size())));
  return sorted[static_cast<std::size_t>(rank) - 1];
}

void check_against_exact(const histogram& h, std::vector<std::int64_t> values) {
  std::sort(values.begin(), values.end());
  REQUIRE(h.count() == values.size());
  for (const double q : {0.0, 0.001, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999, 1.0}) {
    const auto truth = exact(values, q);
    const auto told = h.quantile(q).count();
    INFO("quantile ", q, " truth ", truth, " told ", told);
    CHECK(told >= truth);
    CHECK(static_cast<double>(told) <= static_cast<double>(truth) * (1 + histogram::relative_error));
  }
  CHECK(h.max().count() == values.back());
}

std::vector<std::int64_t> random_values(std::mt19937_64& random, std::size_t n) {
  // Of every magnitude alike, so that every row of buckets is used.
  std::uniform_real_distribution<double> magnitude(0, 39.9);
  std::vector<std::int64_t> values(n);
  for (auto& v : values) v = static_cast<std::int64_t>(std::exp2(magnitude(random)));
  return values;
}

}  // namespace

TEST_CASE("An empty histogram answers 0") {
  const histogram h;
  CHECK(h.count() == 0);
  CHECK(h.quantile(0.99).count() == 0);
  CHECK(h.max().count() == 0);
  CHECK(h.mean().count() == 0);
}

TEST_CASE("Every value from 0 to 300,000 alone is told at most 1/128 too high, never too low") {
  for (std::int64_t v = 0; v < 300'000; v += 1 + v / 1000) {
    histogram h;
    h.record(nanoseconds(v));
    h.record(nanoseconds(1) + histogram::longest);  // so that `max` does not correct the quantile
    const auto told = h.quantile(0.5).count();
    INFO("value ", v, " told ", told);
    REQUIRE(told >= v);
    REQUIRE(static_cast<double>(told) <= static_cast<double>(v) * (1 + histogram::relative_error));
    if (v < 256) REQUIRE(told == v);
  }
}

TEST_CASE("Quantiles of random values keep the documented error") {
  constexpr std::uint64_t seed = 20240607;
  MESSAGE("seed ", seed);
  std::mt19937_64 random(seed);
  for (const std::size_t n : {std::size_t{1}, std::size_t{2}, std::size_t{100}, std::size_t{20'000}}) {
    const auto values = random_values(random, n);
    histogram h;
    for (const auto v : values) h.record(nanoseconds(v));
    check_against_exact(h, values);
  }
}

TEST_CASE("A merged histogram is that of all values together") {
  constexpr std::uint64_t seed = 77;
  MESSAGE("seed ", seed);
  std::mt19937_64 random(seed);
  auto values = random_values(random, 3000);
  const auto more = random_values(random, 1000);
  histogram a, b, all;
  for (const auto v : values) a.record(nanoseconds(v)), all.record(nanoseconds(v));
  for (const auto v : more) b.record(nanoseconds(v)), all.record(nanoseconds(v));
  a.merge(b);
  CHECK(a.mean().count() == doctest::Approx(static_cast<double>(all.mean().count())));
  values.insert(values.end(), more.begin(), more.end());
  check_against_exact(a, values);
  a.merge(histogram());
  check_against_exact(a, values);
}

TEST_CASE("What is too long is counted and not lost") {
  histogram h;
  h.record(nanoseconds(100), 98);
  const auto huge = histogram::longest + std::chrono::hours(1);
  h.record(huge);
  h.record(histogram::longest);
  CHECK(h.count() == 100);
  CHECK(h.overflowed() == 1);
  CHECK(h.quantile(0.98) == nanoseconds(100));
  CHECK(h.quantile(1) == huge);
  CHECK(h.max() == huge);
  histogram other;
  other.merge(h);
  CHECK(other.overflowed() == 1);
  CHECK(other.max() == huge);
}

TEST_CASE("A clock that goes backwards counts as no time at all") {
  histogram h;
  h.record(nanoseconds(-5));
  CHECK(h.count() == 1);
  CHECK(h.quantile(1).count() == 0);
}

TEST_CASE("What is filled is all there is, in order, with the ends that quantiles give") {
  CHECK(histogram().filled().empty());
  histogram h;
  h.record(nanoseconds(70'000), 3);
  h.record(nanoseconds(5), 2);
  const auto filled = h.filled();
  REQUIRE(filled.size() == 2);
  CHECK(filled[0] == std::pair(nanoseconds(5), std::uint64_t{2}));
  CHECK(filled[1].first >= nanoseconds(70'000));
  CHECK(filled[1].first <= nanoseconds(70'000 + 70'000 / 128));
  CHECK(filled[1].second == 3);
}
