#include "corbel/data/postgres/string_traits.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <vector>

#include "corbel/base/error.hpp"
#include "corbel/base/json/decode.hpp"
#include "corbel/base/json/writer.hpp"
#include "corbel/data/codec.hpp"

/// What a program that uses libpqxx has already.
namespace shop {

struct money {
  long long cents = 0;
  friend bool operator==(const money&, const money&) = default;
};
enum class lamp { off, on };
enum class shade { dark, light };

}  // namespace shop

namespace pqxx {

#if PQXX_VERSION_MAJOR >= 7
template <>
struct nullness<shop::money> : no_null<shop::money> {};
template <>
struct string_traits<shop::money> {
  static constexpr bool converts_to_string{true};
  static constexpr bool converts_from_string{true};
  static std::size_t size_buffer(const shop::money& m) noexcept {
    return string_traits<long long>::size_buffer(m.cents) + 4;
  }
  static zview to_buf(char* begin, char* end, const shop::money& m) {
    return {begin, into_buf(begin, end, m) - begin - 1};
  }
  static char* into_buf(char* begin, char* end, const shop::money& m) {
    const auto text = pqxx::to_string(m.cents) + " EUR";
    if (static_cast<std::size_t>(end - begin) <= text.size()) throw conversion_overrun("no room for money");
    text.copy(begin, text.size());
    begin[text.size()] = '\0';
    return begin + text.size() + 1;
  }
  static shop::money from_string(std::string_view text) {
    if (!text.ends_with(" EUR")) throw std::runtime_error("no money");
    return {pqxx::from_string<long long>(text.substr(0, text.size() - 4))};
  }
};
#else
template <>
struct string_traits<shop::money> {
  static constexpr const char* name() noexcept { return "money"; }
  static constexpr bool has_null() noexcept { return false; }
  static bool is_null(const shop::money&) { return false; }
  [[noreturn]] static shop::money null() { internal::throw_null_conversion(name()); }
  static void from_string(const char text[], shop::money& out) {
    const std::string all(text);
    if (!all.ends_with(" EUR")) throw std::runtime_error("no money: " + all);
    pqxx::from_string(all.substr(0, all.size() - 4), out.cents);
  }
  static std::string to_string(const shop::money& m) { return pqxx::to_string(m.cents) + " EUR"; }
};
#endif
PQXX_DECLARE_ENUM_CONVERSION(shop::lamp);
PQXX_DECLARE_ENUM_CONVERSION(shop::shade);

}  // namespace pqxx

namespace shop {

constexpr auto describe(corbel::tag<shade>) {
  using namespace corbel::rules;
  return enumeration(value("dark", shade::dark), value("light", shade::light));
}

struct item {
  money price;
  std::optional<money> was;
  lamp sign = lamp::off;
};
constexpr auto describe(corbel::tag<item>) {
  using namespace corbel::rules;
  return object(field("price", &item::price), field("was", &item::was), field("sign", &item::sign));
}
struct plain {
  int a = 0;
};

}  // namespace shop

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
