#include "corbel/base/decimal.hpp"
#include "corbel/base/interval.hpp"
#include "corbel/base/json/writer.hpp"
#include "corbel/schema/parse.hpp"
#include "fuzz/fuzz.hpp"
#include "schema/bodies.hpp"

namespace {

/// Scalars that have a text of their own.
struct parcel {
  std::optional<std::vector<std::byte>> content;
  std::optional<corbel::decimal> price;
  std::optional<corbel::interval> span;
};
constexpr auto describe(corbel::tag<parcel>) {
  using namespace corbel::rules;
  return object(field("content", &parcel::content), field("price", &parcel::price),
                field("span", &parcel::span))
      .open();
}

template <class T>
void check(std::string_view text) {
  const auto read = corbel::schema::parse<T>(text);
  if (!read) {
    fuzz::demand(!read.error().message().empty(), "a refusal without a word");
    return;
  }
  const auto written = corbel::json::to_text(*read);
  const auto again = corbel::schema::parse<T>(written);
  fuzz::demand(static_cast<bool>(again), "what was accepted is refused when it comes back");
  fuzz::demand(corbel::json::to_text(*again) == written, "a value changes on its way out and in");
}

}  // namespace

/// A body that a described type accepts survives being written and read again.
void fuzz::json_body(std::string_view input) {
  check<sample::bodies::project>(input);
  check<sample::bodies::order>(input);
  check<parcel>(input);
}
