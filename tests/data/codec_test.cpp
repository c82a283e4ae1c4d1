#include "corbel/data/codec.hpp"

#include <doctest/doctest.h>

#include "corbel/base/decimal.hpp"
#include "corbel/base/error.hpp"
#include "corbel/base/interval.hpp"
#include "data/names.hpp"

namespace data = corbel::data;
using corbel::decimal;
using corbel::interval;

namespace {

template <class T>
T decoded(const data::cell& from) {
  T out = T();
  data::decode(from, corbel::type_of<T>(), &out, "amount");
  return out;
}

template <class T>
bool refused(const data::cell& from) {
  CHECK_THROWS_WITH_AS((void)decoded<T>(from), doctest::Contains("column \"amount\" should hold"),
                       corbel::failure);
  return true;
}
/// Rows of text.
class table : public data::result_set {
 public:
  table(std::vector<std::string> names, std::vector<std::string> row)
      : names_(std::move(names)), row_(std::move(row)) {}
  std::size_t column_count() const noexcept override { return names_.size(); }
  std::string_view column_name(std::size_t column) const override { return names_[column]; }
  std::size_t row_count() const noexcept override { return 1; }
  data::cell at(std::size_t, std::size_t column) const override { return std::string_view(row_[column]); }
  std::int64_t affected() const noexcept override { return 0; }
  const void* shape() const noexcept override { return known_as; }

  const void* known_as = nullptr;

 private:
  std::vector<std::string> names_;
  std::vector<std::string> row_;
};

struct bill {
  int item_count = 0;
  decimal total;
  interval run_time;
  std::string url_path;
};
constexpr auto describe(corbel::tag<bill>) {
  using namespace corbel::rules;
  return object(field("itemCount", &bill::item_count), field("total", &bill::total),
                field("runTime", &bill::run_time), field("URLPath", &bill::url_path));
}

}  // namespace

TEST_CASE("integers are read from numerics that are whole") {
  CHECK(decoded<int>("12") == 12);
  CHECK(decoded<int>("-12.00") == -12);
  CHECK(decoded<std::uint64_t>("18446744073709551615.0") == 18446744073709551615u);
  CHECK(decoded<std::int64_t>("-9223372036854775808") == std::numeric_limits<std::int64_t>::min());
  CHECK(decoded<std::optional<int>>("7") == 7);
  for (const char* text :
       {"", "12.5", "12.", ".0", "1e2", " 1", "1 ", "NaN", "2147483648", "12.0.0", "12.0x", "+1"})
    CHECK(refused<int>(text));
  CHECK(refused<std::uint8_t>("-1"));
  CHECK(refused<int>(data::cell(1.0)));
}

TEST_CASE("floating point is read from numerics that are finite") {
  CHECK(decoded<double>("2.5000000000000000") == 2.5);
  CHECK(decoded<double>("-7") == -7);
  CHECK(decoded<float>("0.25") == 0.25f);
  CHECK(decoded<double>(data::cell(std::int64_t{3})) == 3);
  for (const char* text : {"", "NaN", "Infinity", "-Infinity", "inf", "1,5", "1.5 ", "x", "1e999"})
    CHECK(refused<double>(text));
  CHECK(refused<float>("1e39"));
  CHECK(refused<float>(data::cell(1e39)));
}

TEST_CASE("timestamps are read in JSON's form and in SQL's") {
  CHECK(decoded<corbel::timestamp>("2026-01-02 03:04:05.678901+00") ==
        decoded<corbel::timestamp>("2026-01-02T03:04:05.678Z"));
  for (const char* text : {"infinity", "0044-03-15 00:00:00+00 BC", "2026-01-02"})
    CHECK(refused<corbel::timestamp>(text));
}

TEST_CASE("booleans stay integers outside of arrays") {
  CHECK(decoded<bool>(data::cell(std::int64_t{1})));
  for (const char* text : {"t", "f", "true", "1"}) CHECK(refused<bool>(text));
  CHECK(refused<bool>(data::cell(std::int64_t{2})));
}

TEST_CASE("bytes are blobs on both ways") {
  const data::blob bytes{std::byte{0}, std::byte{255}};
  CHECK(data::parameter(bytes) == data::value(bytes));
  CHECK(data::parameter(std::optional<data::blob>(bytes)) == data::value(bytes));
  CHECK(data::parameter(std::optional<data::blob>()) == data::value());
  CHECK(decoded<data::blob>(data::cell(std::span<const std::byte>(bytes))) == bytes);
  CHECK(decoded<std::optional<data::blob>>(data::cell()) == std::nullopt);
  CHECK(refused<data::blob>("AP8="));
  CHECK(refused<data::blob>(data::cell()));
  CHECK(refused<std::string>(data::cell(std::span<const std::byte>(bytes))));
}

TEST_CASE("decimals and intervals travel as text") {
  CHECK(data::parameter(decimal(-5)) == data::value("-5"));
  CHECK(data::parameter(interval{14, 0, 500'000}) == data::value("P1Y2MT0.5S"));
  CHECK(to_text(decoded<decimal>("12.50")) == "12.50");
  CHECK(decoded<decimal>(data::cell(std::int64_t{7})) == 7);
  CHECK(decoded<interval>("P-1D") == interval{0, -1, 0});
  CHECK(decoded<std::vector<decimal>>("{1.50,-2}").at(1) == -2);
  CHECK(decoded<std::vector<interval>>("{P1D,PT0S}").at(0).days == 1);
  for (const char* text : {"NaN", "Infinity", "-Infinity", ""}) CHECK(refused<decimal>(text));
  CHECK(refused<interval>("1 day"));
  CHECK(refused<interval>("infinity"));
}

TEST_CASE("rows map by column name, the first of equal ones") {
  const table rows({"spare", "url_path", "total", "item_count", "run_time", "total"},
                   {"", "/a", "1.20", "3", "PT1M", "9"});
  const auto one = data::one_as<bill>(rows);
  REQUIRE(one);
  CHECK(one->item_count == 3);
  CHECK(to_text(one->total) == "1.20");
  CHECK(one->run_time == interval{0, 0, 60'000'000});
  CHECK(one->url_path == "/a");

  const table some({"itemCount", "total", "run_times"}, {"", "", ""});
  CHECK_THROWS_WITH_AS(
      (void)data::one_as<bill>(some),
      doctest::Contains("lack the column(s) \"item_count\", \"run_time\", \"url_path\" that"),
      corbel::failure);
  const table wrong({"item_count", "total", "run_time", "url_path"}, {"3", "x", "PT1M", ""});
  CHECK_THROWS_WITH_AS((void)data::one_as<bill>(wrong), doctest::Contains("\"total\""), corbel::failure);
}

TEST_CASE("results one after the other are read by their own columns") {
  const table first({"item_count", "total", "run_time", "url_path"}, {"1", "2.5", "P1D", "/a"});
  const table turned({"url_path", "run_time", "total", "item_count"}, {"/b", "P2D", "3.5", "2"});
  data::one_decoder decoder(corbel::type_of<bill>());
  const auto path_in = [&](const table& from) {
    bill one;
    CHECK(decoder.decode(from, &one));
    CHECK(one.item_count == (one.url_path == "/a" ? 1 : 2));
    return one.url_path;
  };
  // Nobody says whether they have the same.
  CHECK(path_in(first) == "/a");
  CHECK(path_in(turned) == "/b");
  const int shapes[2] = {};
  table a = first;
  table b = turned;
  a.known_as = &shapes[0];
  b.known_as = &shapes[1];
  for (int i = 0; i < 2; ++i) {
    CHECK(path_in(a) == "/a");
    CHECK(path_in(a) == "/a");
    CHECK(path_in(b) == "/b");
  }
  const table poor({"item_count"}, {"1"});
  bill none;
  CHECK_THROWS_AS(decoder.decode(poor, &none), corbel::failure);
}

TEST_CASE("a statement's values stay in order, whether they are few or many") {
  const auto texts = [](const data::statement& of) {
    std::string all;
    for (const auto& one : of.parameters())
      all += one.index() == 1 ? std::to_string(std::get<1>(one)) : std::get<std::string>(one);
    return all;
  };
  const auto list = [](auto... values) { return data::parameter_list::of(data::value(values)...); };
  const std::string long_text(100, 'x');
  CHECK(data::statement("select 1", {}).parameters().empty());
  CHECK(texts({"", list(std::int64_t{1})}) == "1");
  CHECK(texts({"", list(std::int64_t{1}, "two")}) == "1two");
  CHECK(texts({"", list(std::int64_t{1}, "two", std::int64_t{3}, long_text)}) == "1two3" + long_text);
  CHECK(texts({"", std::vector<data::value>{"a", "b", "c"}}) == "abc");
  data::statement from("", list(long_text, "b"));
  const auto copy = from;
  const auto moved = std::move(from);
  CHECK(texts(copy) == long_text + "b");
  CHECK(texts(moved) == long_text + "b");
}

TEST_CASE("many columns are more than the usual room") {
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) names.push_back("c" + std::to_string(i));
  auto row = names;
  for (const char* name : {"item_count", "total", "run_time", "url_path"}) names.emplace_back(name);
  for (const char* text : {"3", "1", "PT1M", "/"}) row.emplace_back(text);
  CHECK(data::one_as<bill>(table(names, row))->item_count == 3);
}

TEST_CASE("a field is compared with a column as if it were written in snake_case") {
  const std::vector<std::string> fields{"id", "createdAt", "ownerID",       "URLPath", "URL",
                                        "a",  "aB",        "already_snake", "x2Y",     "A",
                                        "_b", "_B",        "totalCopies",   ""};
  std::vector<std::string> columns{"created_at_", "createdat", "created_a", "owner_i_d"};
  for (const auto& f : fields) columns.push_back(data::snake_case(f));
  for (const auto& f : fields)
    for (const auto& c : columns) CHECK(data::matches_snake_case(f, c) == (data::snake_case(f) == c));
  CHECK(data::matches_snake_case("createdAt", "created_at"));
  CHECK(data::matches_snake_case("URLPath", "url_path"));
}
