#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "corbel/base/describe/type_of.hpp"
#include "corbel/data/postgres/string_traits.hpp"

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
