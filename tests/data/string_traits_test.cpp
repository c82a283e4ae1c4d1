#include "corbel/data/postgres/string_traits.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "corbel/base/error.hpp"
#include "corbel/base/json/decode.hpp"
#include "corbel/base/json/writer.hpp"
#include "corbel/data/codec.hpp"
#include "shop.hpp"

namespace data = corbel::data;
using shop::money;

TEST_CASE("libpqxx's string_traits make a type a scalar of the user's own") {
  static_assert(corbel::text_scalar<money>);
  static_assert(corbel::text_scalar<shop::lamp>);
  static_assert(!corbel::text_scalar<shop::plain>);
  static_assert(!corbel::text_scalar<shop::item>);
  CHECK(corbel::type_of<money>().kind == corbel::type_kind::custom);
  CHECK(corbel::type_of<shop::shade>().kind == corbel::type_kind::enumeration);  // described, so by its names
}

TEST_CASE("string_traits carry parameters and cells") {
  CHECK(data::parameter(money{1250}) == data::value("1250 EUR"));
  CHECK(data::parameter(std::optional<money>{}) == data::value());
  CHECK(data::parameter(shop::lamp::on) == data::value("1"));

  money read;
  data::decode(data::cell(std::string_view("-7 EUR")), corbel::type_of<money>(), &read, "price");
  CHECK(read == money{-7});
  auto lit = shop::lamp::off;
  data::decode(data::cell(std::int64_t{1}), corbel::type_of<shop::lamp>(), &lit, "sign");
  CHECK(lit == shop::lamp::on);

  std::vector<money> many;
  data::decode(data::cell(std::string_view(R"({"1 EUR","2 EUR"})")), corbel::type_of<std::vector<money>>(),
               &many, "prices");
  CHECK(many == std::vector<money>{{1}, {2}});
}

TEST_CASE("what string_traits refuse is a misfit that names the column") {
  money read;
  for (const std::string_view text : {std::string_view("7"), std::string_view("x EUR"), std::string_view(),
                                      std::string_view("7 EUR\0!", 7), std::string_view("1\0 EUR", 6)})
    CHECK_THROWS_WITH_AS(data::decode(data::cell(text), corbel::type_of<money>(), &read, "price"),
                         doctest::Contains("\"price\""), corbel::failure);
}

TEST_CASE("string_traits serve JSON, too") {
  const shop::item made{{1999}, money{2499}, shop::lamp::on};
  const auto text = corbel::json::to_text(made);
  CHECK(text == R"({"price":"1999 EUR","was":"2499 EUR","sign":"1"})");
  const auto back = corbel::json::parse<shop::item>(text);
  REQUIRE(back);
  CHECK(back->price == made.price);
  CHECK(back->was == made.was);
  CHECK(back->sign == made.sign);
  CHECK_FALSE(corbel::json::parse<shop::item>(R"({"price":"1999","sign":"1"})"));
}
