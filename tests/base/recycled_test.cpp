#include "base/recycled.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <thread>
#include <vector>

namespace {

struct heavy final : corbel::detail::recycled<heavy> {
  explicit heavy(int n) : number(n) {}
  int number;
  char more[4000] = {};
};

using spare = corbel::detail::spare_blocks<sizeof(heavy)>;
constexpr bool keeps = spare::most > 0;

std::vector<std::unique_ptr<heavy>> many(int count) {
  std::vector<std::unique_ptr<heavy>> all;
  for (int i = 0; i < count; ++i) all.push_back(std::make_unique<heavy>(i));
  return all;
}

std::set<heavy*> places_of(const std::vector<std::unique_ptr<heavy>>& all) {
  std::set<heavy*> places;
  for (const auto& one : all) places.insert(one.get());
  return places;
}

}  // namespace

TEST_CASE("objects that come again lie where others were, and nobody else does") {
  auto first = many(100);
  const auto places = places_of(first);
  CHECK(places.size() == 100);
  first.clear();
  auto second = many(100);
  const auto again = places_of(second);
  CHECK(again.size() == 100);
  for (int i = 0; i < 100; ++i) CHECK(second[static_cast<std::size_t>(i)]->number == i);
  if (keeps) CHECK(again == places);
}

TEST_CASE("no more than the limit is kept") {
  const int beyond = 10 + 3 * static_cast<int>(spare::most / sizeof(heavy));
  for (int round = 0; round < 3; ++round) {
    auto all = many(beyond);
    CHECK(places_of(all).size() == all.size());
  }
  CHECK(spare::kept_bytes() <= spare::most);
  CHECK((spare::kept_bytes() > 0) == keeps);
}

TEST_CASE("an object may end on another thread, and after its thread's memory was given back") {
  auto from_here = many(10);
  std::vector<std::unique_ptr<heavy>> from_there;
  std::thread([&] {
    from_there = many(10);
    from_here.clear();
  }).join();
  from_there.clear();
  // What is made first on a thread is destroyed last: behind the spare memory.
  std::thread([] {
    thread_local std::unique_ptr<heavy> late;
    late.reset();
    many(3).clear();
    late = std::make_unique<heavy>(1);
    CHECK(late->number == 1);
  }).join();
}
