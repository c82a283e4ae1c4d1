#include "corbel/http/services.hpp"

#include <doctest/doctest.h>

#include <string>

TEST_CASE("a service is found by the type it was provided as") {
  corbel::services all;
  int number = 7;
  CHECK(all.provide(number));
  CHECK(all.find<int>() == &number);
  CHECK(all.find<long>() == nullptr);
  CHECK(all.find<const int>() == nullptr);
  int other = 8;
  CHECK_FALSE(all.provide(other));
  CHECK(*all.find<int>() == 7);
}

TEST_CASE("a shared service lives as long as its holders") {
  std::weak_ptr<std::string> seen;
  {
    corbel::services all;
    auto text = std::make_shared<std::string>("shared");
    seen = text;
    CHECK(all.provide(std::move(text)));
    CHECK(*all.find<std::string>() == "shared");
    const auto copy = all;
    CHECK(copy.find<std::string>() == all.find<std::string>());
  }
  CHECK(seen.expired());
}

TEST_CASE("a type's name is readable") {
  CHECK(corbel::detail::name_of_type<int>() == "int");
  CHECK(corbel::detail::name_of_type<corbel::services>() == "corbel::services");
}
