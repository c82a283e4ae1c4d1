// Values both ways, with the server as the judge.

#include <cmath>
#include <corbel/base/decimal.hpp>
#include <corbel/base/interval.hpp>
#include <corbel/base/uuid.hpp>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "corbel/base/describe/type_of.hpp"
#include "corbel/base/json/dom.hpp"
#include "support/tasks.hpp"

using corbel::date;
using corbel::decimal;
using corbel::interval;
using corbel::timestamp;
using corbel::uuid;

namespace {

enum class mood : std::uint8_t { sad, ok, happy };
constexpr auto describe(corbel::tag<mood>) {
  using namespace corbel::rules;
  return enumeration(value("sad", mood::sad), value("ok", mood::ok), value("very happy", mood::happy));
}

struct place {
  std::string city;
  std::vector<int> spots;
  std::optional<double> height;
  friend bool operator==(const place&, const place&) = default;
};
constexpr auto describe(corbel::tag<place>) {
  using namespace corbel::rules;
  return object(field("city", &place::city), field("spots", &place::spots), field("height", &place::height));
}

struct all_types {
  bool truth = false;
  std::int16_t small = 0;
  std::int32_t whole = 0;
  std::int64_t large = 0;
  float single = 0;
  double real = 0;
  decimal price;
  std::string words;
  data::blob bytes;
  uuid id{};
  timestamp at{};
  timestamp local{};
  date day{};
  interval span;
  place where;
  nlohmann::json loose;
  mood feeling = mood::ok;
  std::optional<int> nothing;
  std::vector<int> numbers;
  std::vector<std::string> texts;
  std::vector<std::optional<std::string>> gaps;
  std::vector<std::vector<int>> grid;
  std::vector<uuid> ids;
  std::vector<mood> moods;
  std::vector<place> places;
  std::vector<double> reals;
  std::vector<std::optional<bool>> truths;
  std::vector<timestamp> times;
  std::vector<data::blob> blobs;
  std::vector<decimal> prices;
  friend bool operator==(const all_types&, const all_types&) = default;
};
constexpr auto describe(corbel::tag<all_types>) {
  using namespace corbel::rules;
  using t = all_types;
  return object(field("truth", &t::truth), field("small", &t::small), field("whole", &t::whole),
                field("large", &t::large), field("single", &t::single), field("real", &t::real),
                field("price", &t::price), field("words", &t::words), field("bytes", &t::bytes),
                field("id", &t::id), field("at", &t::at), field("local", &t::local), field("day", &t::day),
                field("span", &t::span), field("where", &t::where), field("loose", &t::loose),
                field("feeling", &t::feeling), field("nothing", &t::nothing), field("numbers", &t::numbers),
                field("texts", &t::texts), field("gaps", &t::gaps), field("grid", &t::grid),
                field("ids", &t::ids), field("moods", &t::moods), field("places", &t::places),
                field("reals", &t::reals), field("truths", &t::truths), field("times", &t::times),
                field("blobs", &t::blobs), field("prices", &t::prices));
}

constexpr char columns[] =
    "create table everything (n int primary key, truth bool, small int2, whole int4, large int8, single "
    "float4, "
    "\"real\" float8, price numeric, words text, bytes bytea, id uuid, at timestamptz, local timestamp, day "
    "date, "
    "span interval, \"where\" jsonb, loose json, feeling mood, nothing int, numbers int[], texts text[], "
    "gaps text[], "
    "grid int[], ids uuid[], moods mood[], places jsonb[], reals float8[], truths bool[], times "
    "timestamptz[], "
    "blobs bytea[], prices numeric[])";

task<void> store(data::source to, int n, all_types v) {
  co_await to.execute(
      "insert into everything values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, "
      "$17, $18, "
      "$19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31)",
      n, v.truth, v.small, v.whole, v.large, v.single, v.real, v.price, v.words, v.bytes, v.id, v.at, v.local,
      v.day, v.span, v.where, v.loose, v.feeling, v.nothing, v.numbers, v.texts, v.gaps, v.grid, v.ids,
      v.moods, v.places, v.reals, v.truths, v.times, v.blobs, v.prices);
}

task<void> store_all(data::database db, const std::vector<all_types>* rows) {
  for (std::size_t n = 0; n < rows->size(); ++n) co_await store(db, static_cast<int>(n), (*rows)[n]);
}

class random_values {
 public:
  explicit random_values(unsigned seed) : random_(seed) {}

  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  std::string text() {
    static const std::vector<std::string> pieces{
        "a",  "\"", "\\",   "'", "{", "}",   ",",   " ", "NULL", "\n", "\t", "ä", "\xf0\x9f\x98\x80",
        "$1", "%",  "\x01", "[", "]", ";--", "null"};
    std::string all;
    for (auto left = below(12); left > 0; --left) all += pieces[below(pieces.size())];
    return all;
  }
  double real() {
    switch (below(6)) {
      case 0: return 0;
      case 1: return std::numeric_limits<double>::max();
      case 2: return std::numeric_limits<double>::denorm_min();
      case 3: return -0.1;
      default: return std::ldexp(static_cast<double>(random_()), static_cast<int>(below(200)) - 130);
    }
  }
  data::blob bytes() {
    data::blob all(below(20));
    for (auto& one : all) one = static_cast<std::byte>(below(256));
    return all;
  }
  timestamp time() {
    return timestamp(std::chrono::milliseconds(static_cast<std::int64_t>(below(4'000'000'000'000))));
  }
  decimal number() {
    auto text = (below(2) ? "-" : "") + std::to_string(random_()) + std::to_string(random_());
    if (below(2)) text.insert(text.size() - below(15) - 1, ".");
    return *from_text(corbel::tag<decimal>{}, text);
  }
  template <class Make>
  auto several(Make make) {
    std::vector<decltype(make())> all;
    for (auto left = below(5); left > 0; --left) all.push_back(make());
    return all;
  }
  place somewhere() {
    place p{text(), several([&] { return static_cast<int>(below(100)); }), {}};
    if (below(2)) p.height = std::ldexp(static_cast<double>(below(1'000'000)), -10);
    return p;
  }

  all_types all() {
    all_types v;
    v.truth = below(2) == 1;
    v.small = static_cast<std::int16_t>(random_());
    v.whole = static_cast<std::int32_t>(random_());
    v.large = static_cast<std::int64_t>(random_());
    v.single = std::ldexp(static_cast<float>(below(1'000'000)), static_cast<int>(below(60)) - 30);
    v.real = real();
    v.price = number();
    v.words = text();
    v.bytes = bytes();
    v.id = uuid::v7();
    v.at = time();
    v.local = time();
    v.day = date(std::chrono::sys_days(std::chrono::days(static_cast<int>(below(60'000)))));
    v.span = {static_cast<std::int32_t>(below(1000)) - 500, static_cast<std::int32_t>(below(1000)) - 500,
              static_cast<std::int64_t>(below(1'000'000'000'000)) - 500'000'000'000};
    v.where = somewhere();
    v.loose = {{"a", below(1000)}, {text(), {1, nullptr, true, text()}}};
    v.feeling = static_cast<mood>(below(3));
    if (below(2)) v.nothing = static_cast<int>(below(10));
    v.numbers = several([&] { return static_cast<int>(random_()); });
    v.texts = several([&] { return text(); });
    v.gaps = several([&] { return below(2) ? std::optional<std::string>(text()) : std::nullopt; });
    const auto width = below(3) + 1;
    for (auto rows = below(3); rows > 0; --rows) v.grid.emplace_back(width, static_cast<int>(below(50)));
    v.ids = several([] { return uuid::v7(); });
    v.moods = several([&] { return static_cast<mood>(below(3)); });
    v.places = several([&] { return somewhere(); });
    v.reals = several([&] { return real(); });
    v.truths = several([&] { return std::optional<bool>(below(2) == 1); });
    v.times = several([&] { return time(); });
    v.blobs = several([&] { return bytes(); });
    v.prices = several([&] { return number(); });
    return v;
  }

 private:
  std::mt19937_64 random_;
};

}  // namespace

TEST_CASE("random values of every type come back as they went") {
  const temporary_postgres own("connections=1");
  run(own->execute("create type mood as enum ('sad', 'ok', 'very happy')"));
  run(own->execute(data::trusted(columns)));
  random_values random(2026);
  std::vector<all_types> sent;
  for (int n = 0; n < 300; ++n) sent.push_back(random.all());
  run(store_all(*own, &sent));
  const auto got = run(own->query<all_types>("select * from everything order by n"));
  REQUIRE(got.size() == sent.size());
  for (std::size_t n = 0; n < sent.size(); ++n) {
    CAPTURE(n);
    CHECK((got[n] == sent[n]));
    CHECK(to_text(got[n].price) == to_text(sent[n].price));
  }
}

TEST_CASE("the extremes of each type come back") {
  const temporary_postgres own;
  const auto same = [&](auto sql, auto v) {
    return run(own->query_one<decltype(v)>(data::trusted(sql), v)) == v;
  };
  for (const std::int64_t n : {std::numeric_limits<std::int64_t>::min(),
                               std::numeric_limits<std::int64_t>::max(), std::int64_t{0}, std::int64_t{-1}})
    CHECK(same("select $1::int8", n));
  for (const std::int32_t n :
       {std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()})
    CHECK(same("select $1::int4", n));
  for (const std::int16_t n :
       {std::numeric_limits<std::int16_t>::min(), std::numeric_limits<std::int16_t>::max()})
    CHECK(same("select $1::int2", n));
  for (const double d : {std::numeric_limits<double>::max(), std::numeric_limits<double>::lowest(),
                         std::numeric_limits<double>::denorm_min(), 0.1, -0.0, 1e300})
    CHECK(same("select $1::float8", d));
  CHECK(same("select $1::float4", std::numeric_limits<float>::max()));
  CHECK(same("select $1::oid", std::uint32_t{4'294'967'295}));
  const auto many = "-" + std::string(500, '9') + "." + std::string(100, '1');
  CHECK(to_text(*run(own->query_one<decimal>("select $1::numeric", many))) == many);
  CHECK(same("select $1::timestamptz", *corbel::parse_timestamp("9999-12-31T23:59:59.999Z")));
  CHECK(same("select $1::timestamptz", *corbel::parse_timestamp("0001-01-01T00:00:00.000Z")));
  CHECK(same("select $1::date", *corbel::parse_date("9999-12-31")));
  CHECK(same("select $1::interval", interval{-14, 3, -4'005'006}));
  CHECK(same("select $1::text", std::string()));
  CHECK(same("select $1::int2[]", std::vector<std::int16_t>{-32'768, 0, 32'767}));
  CHECK(same("select $1::int8[]", std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::min(), 7}));
  CHECK(same("select $1::float4[]", std::vector<float>{-0.1f, std::numeric_limits<float>::max()}));
  CHECK(same("select $1::date[]",
             std::vector<date>{*corbel::parse_date("0001-01-01"), *corbel::parse_date("9999-12-31")}));
  CHECK(same("select $1::interval[]", std::vector<interval>{{-14, 3, -4'005'006}, {}, {0, 0, 1}}));
  CHECK(same("select $1::jsonb[]", std::vector<place>{{"a\"b", {1, 2}, {}}, {"{}", {}, 1.5}}));
  CHECK(same("select $1::bytea", data::blob()));
  CHECK(same("select $1::text", std::string("\xf4\x8f\xbf\xbf")));
  // What no type of ours holds is refused, not made into something else.
  for (const char* sql : {"select 'NaN'::numeric", "select 'infinity'::timestamptz",
                          "select '0044-03-15 BC'::date", "select null::numeric"}) {
    CAPTURE(sql);
    const bool is_time = std::string_view(sql).find("timestamptz") != std::string_view::npos;
    const bool is_day = std::string_view(sql).find("date") != std::string_view::npos;
    const data::trusted text{std::string(sql)};
    if (is_time)
      CHECK(failure_of(own->query_one<timestamp>(text)).kind() == error_kind::internal);
    else if (is_day)
      CHECK(failure_of(own->query_one<date>(text)).kind() == error_kind::internal);
    else
      CHECK(failure_of(own->query_one<decimal>(text)).kind() == error_kind::internal);
  }
  // A NUL is stored in no text.
  CHECK(failure_of(own->query_one<std::string>("select $1::text", std::string("a\0b", 3))).kind() ==
        error_kind::malformed);
}

TEST_CASE("types without a C++ type of their own are text, or what they stand for") {
  const temporary_postgres own;
  run(own->execute("create domain short_text as text check (length(value) < 5)"));
  run(own->execute("create domain age as int check (value >= 0)"));
  run(own->execute("create type pair as (a int, b text)"));
  CHECK(one<std::string>(*own, "select to_tsvector('simple', 'a b a')") == "'a':1,3 'b':2");
  CHECK(one<std::string>(*own, "select to_tsquery('simple', 'a & b')") == "'a' & 'b'");
  CHECK(one<std::string>(*own, "select $1::tsvector", std::string("'a':1,3 'it''s':2A")) ==
        "'a':1,3 'it''s':2A");
  CHECK(one<std::string>(*own, "select $1::tsquery", std::string("'a' & !'b':*")) == "'a' & !'b':*");
  CHECK(one<bool>(*own, "select to_tsvector('simple', $1) @@ $2::tsquery", std::string("to be"),
                  std::string("be")));
  CHECK(run(own->query_one<std::vector<std::string>>("select $1::tsvector[]",
                                                     std::vector<std::string>{"'a':1", "'b'"})) ==
        std::vector<std::string>{"'a':1", "'b'"});
  CHECK(one<std::string>(*own, "select $1::short_text", std::string("abc")) == "abc");
  CHECK(failure_of(own->query_one<std::string>("select $1::short_text", std::string("abcdef"))).code() ==
        "check_violation");
  CHECK(one<int>(*own, "select $1::age", 7) == 7);
  CHECK(run(own->query_one<std::vector<int>>("select array[1, 2]::age[]")) == std::vector<int>{1, 2});
  CHECK(one<std::string>(*own, "select row(1, 'x')::pair") == "(1,x)");
  CHECK(one<std::string>(*own, "select '10.1.2.3/8'::inet") == "10.1.2.3/8");
  CHECK(one<std::string>(*own, "select '[1,5)'::int4range") == "[1,5)");
  CHECK(one<std::string>(*own, "select 'a'::\"char\"") == "a");
  CHECK(one<std::string>(*own, "select 'abc'::name") == "abc");
  CHECK(one<std::string>(*own, "select B'101'::bit(3)") == "101");
  CHECK(one<std::int64_t>(*own, "select 'pg_class'::regclass::oid") > 0);
  CHECK(one<std::string>(*own, "select '13:14:15'::time") == "13:14:15");
}

TEST_CASE("results without rows, without columns, and of functions that give nothing") {
  const temporary_postgres own;
  run(own->execute("create table t (n int, m int)"));
  run(own->execute("create function nothing() returns void language sql as 'select 1'"));
  CHECK(run(own->query<int>("select n from t")).empty());
  CHECK_FALSE(run(own->query_one<int>("select n from t")));
  CHECK(run(own->execute("select from generate_series(1, 3)")) == 0);
  CHECK(run(own->execute("select nothing()")) == 0);
  CHECK(one<std::optional<std::string>>(*own, "select nothing()") == std::nullopt);
  CHECK(failure_of(own->execute("")).kind() == error_kind::internal);
  CHECK(failure_of(own->execute("-- nothing")).kind() == error_kind::internal);
  CHECK(run(own->query<data::value>("insert into t values (1, 2)")).empty());
  CHECK(failure_of(own->query<int>("select n, m from t")).kind() == error_kind::internal);
  CHECK(failure_of(own->query_one<int>("select n from t union all select 2")).kind() == error_kind::internal);
}

TEST_CASE("a statement tells how many rows it changed, and gives those it returns") {
  const temporary_postgres own;
  run(own->execute("create table t (n int primary key, m int)"));
  CHECK(run(own->execute("insert into t select i, 0 from generate_series(1, 10) i")) == 10);
  CHECK(run(own->execute("insert into t values (1, 1) on conflict do nothing")) == 0);
  CHECK(run(own->execute("update t set m = 1 where n <= $1", 4)) == 4);
  CHECK(run(own->query<int>("update t set m = 2 where n > 8 returning n")).size() == 2);
  CHECK(
      run(own->execute(
          "with gone as (delete from t where n = 10 returning *) insert into t select n + 1, m from gone")) ==
      1);
  CHECK(run(own->execute("delete from t")) == 10);
  CHECK(run(own->query_one<int>("insert into t values (5, 6) returning m")) == 6);
  CHECK(run(own->execute(
            "merge into t using (values (5), (7)) v(n) on t.n = v.n when matched then update set m = 0 "
            "when not matched then insert values (v.n, 1)")) == 2);
  CHECK(run(own->execute("truncate t")) == 0);
}

TEST_CASE("large results and values: 1,000 columns, 100,000 rows, 10 MB both ways") {
  const temporary_postgres own;
  std::string wide = "select ";
  for (int i = 0; i < 1000; ++i)
    wide += (i == 0 ? "" : ", ") + std::to_string(i) + "::int8 as c" + std::to_string(i);
  const auto rows = run(own->runner()->run(data::statement::owning(wide, {})));
  REQUIRE(rows->column_count() == 1000);
  for (std::size_t i = 0; i < 1000; ++i) {
    CHECK(std::get<std::int64_t>(rows->at(0, i)) == static_cast<std::int64_t>(i));
    CHECK(rows->column_name(i) == "c" + std::to_string(i));
  }

  const auto many = run(own->query<std::int64_t>("select n::int8 from generate_series(1, 100000) n"));
  REQUIRE(many.size() == 100'000);
  for (std::size_t i = 0; i < many.size(); ++i)
    if (many[i] != static_cast<std::int64_t>(i + 1)) FAIL("row ", i, " is ", many[i]);

  std::string text(10'000'000, 'x');
  for (std::size_t i = 0; i < text.size(); i += 997) text[i] = static_cast<char>('a' + i % 26);
  CHECK((one<std::string>(*own, "select $1::text", text) == text));
  data::blob bytes(10'000'000);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 31 % 251);
  CHECK((one<data::blob>(*own, "select $1::bytea", bytes) == bytes));

  const temporary_postgres narrow("most_result=100000");
  const auto refused =
      failure_of(narrow->query<std::string>("select repeat('x', 1000) from generate_series(1, 1000)"));
  CHECK(refused.kind() == error_kind::internal);
  CHECK(contains(refused.cause(), "most_result"));
  CHECK(one<int>(*narrow, "select 1") == 1);
}

TEST_CASE("as many values as a statement takes, and not one more") {
  const temporary_postgres own;
  const auto sum_of = [](std::size_t count) {
    std::string sql = "select count(*) from (values ";
    std::vector<data::value> values;
    for (std::size_t i = 1; i <= count; ++i) {
      sql += (i == 1 ? "($" : ",($") + std::to_string(i) + "::int)";
      values.emplace_back(std::int64_t{1});
    }
    return data::statement::owning(sql + ") v", std::move(values));
  };
  const auto rows = run(own->runner()->run(sum_of(65'535)));
  CHECK(std::get<std::int64_t>(rows->at(0, 0)) == 65'535);
  CHECK_THROWS_AS(run(own->runner()->run(sum_of(65'536))), corbel::failure);
  CHECK(one<int>(*own, "select 1") == 1);
}
