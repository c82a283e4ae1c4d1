// The messages, without a socket.

#include <cstring>
#include <random>

#include "data/postgres/columns.hpp"
#include "data/postgres/oids.hpp"
#include "data/postgres/rows.hpp"
#include "data/postgres/wire_reader.hpp"
#include "data/postgres/wire_writer.hpp"
#include "effort.hpp"
#include "support/fake_server.hpp"
#include "support/tasks.hpp"

using namespace std::string_literals;
using postgres::field_reader;
using postgres::protocol_error;
using postgres::wire_format;
using postgres::wire_writer;

namespace {

template <class Write>
std::string written(Write write) {
  std::string out = "before";
  wire_writer w(out);
  write(w);
  return out.substr(6);
}

postgres::columns_ptr columns_of(const std::string& message) {
  return std::make_shared<const postgres::columns>(
      postgres::read_columns(std::string_view(message).substr(5)));
}
std::string payload(const std::string& message) {
  return message.substr(5);
}

}  // namespace

TEST_CASE("every message of the frontend is right to the byte") {
  CHECK(written([](wire_writer& w) { w.parse("c1", "select $1"); }) ==
        "P\0\0\0\x13"
        "c1\0select $1\0\0\0"s);
  CHECK(written([](wire_writer& w) { w.describe_statement("c1"); }) == "D\0\0\0\x08Sc1\0"s);
  CHECK(written([](wire_writer& w) { w.describe_portal(); }) == "D\0\0\0\6P\0"s);
  CHECK(written([](wire_writer& w) { w.execute(); }) == "E\0\0\0\x09\0\0\0\0\0"s);
  CHECK(written([](wire_writer& w) { w.sync(); }) == "S\0\0\0\4"s);
  CHECK(written([](wire_writer& w) { w.close_statement("c1"); }) == "C\0\0\0\x08Sc1\0"s);
  CHECK(written([](wire_writer& w) { w.query("select 1"); }) == "Q\0\0\0\x0dselect 1\0"s);
  CHECK(written([](wire_writer& w) { w.terminate(); }) == "X\0\0\0\4"s);
  CHECK(written([](wire_writer& w) { w.bind("c1", {}, {}); }) == "B\0\0\0\x0e\0c1\0\0\0\0\0\0\0"s);
}

TEST_CASE("values are bound as text, bytes as they are, NULL as nothing") {
  const std::vector<data::value> values{std::int64_t{-7}, 2.5, "it's"s, data::value{}};
  const std::vector<wire_format> formats{wire_format::binary, wire_format::text};
  CHECK(written([&](wire_writer& w) { w.bind("", values, formats); }) ==
        "B\0\0\0\x29\0\0\0\0\0\4\0\0\0\2-7\0\0\0\3"
        "2.5\0\0\0\4it's\xff\xff\xff\xff\0\2\0\1\0\0"s);
  const std::vector<data::value> bytes{std::int64_t{1}, data::blob{std::byte{0}, std::byte{255}}};
  CHECK(written([&](wire_writer& w) { w.bind("", bytes, {}); }) ==
        "B\0\0\0\x1b\0\0\0\2\0\0\0\1\0\2\0\0\0\1"
        "1\0\0\0\2\0\xff\0\0"s);
  // The extremes read back as themselves.
  const std::vector<data::value> extreme{std::numeric_limits<std::int64_t>::min(), 5e-324, 0.1, -0.0,
                                         std::numeric_limits<double>::infinity()};
  const auto all = written([&](wire_writer& w) { w.bind("", extreme, {}); });
  for (const char* text : {"-9223372036854775808", "5e-324", "0.1", "-0", "inf"}) CHECK(contains(all, text));
}

TEST_CASE("what cannot be written is refused: a NUL in a text, more values than a message counts") {
  std::string out;
  wire_writer w(out);
  CHECK_THROWS_AS(w.query("select 1\0; drop table t"s), corbel::failure);
  CHECK_THROWS_AS(w.parse("a\0b"s, "select 1"), corbel::failure);
  CHECK_THROWS_AS(w.parse("a", "select\0 1"s), corbel::failure);
  CHECK_THROWS_AS(w.bind("", std::vector<data::value>(65'536), {}), corbel::failure);
  CHECK(written([](wire_writer& some) { some.bind("", std::vector<data::value>(65'535), {}); }).size() ==
        5 + 2 + 2 + 2 + 65'535 * 4 + 2);
  CHECK_THROWS_AS(w.bind("", std::vector<data::value>{"a\0b"s}, {}), corbel::failure);
}

TEST_CASE("fields are read in order, and one that is missing is an error") {
  const auto bytes = "\1\2\3\4\5\6\7\x80name\0rest"s;
  field_reader fields(bytes);
  CHECK(fields.byte() == 1);
  CHECK(fields.u16() == 0x0203);
  CHECK(fields.u32() == 0x04050607);
  CHECK(fields.byte() == 0x80);
  CHECK(fields.text() == "name");
  CHECK(fields.rest() == "rest");
  CHECK_THROWS_AS(fields.text(), protocol_error);
  CHECK_THROWS_AS(fields.take(5), protocol_error);
  CHECK_THROWS_AS(fields.take(std::numeric_limits<std::size_t>::max()), protocol_error);
  CHECK(fields.take(4) == "rest");
  CHECK(fields.take(0).empty());
  CHECK_THROWS_AS(fields.byte(), protocol_error);
  CHECK_THROWS_AS(field_reader("\1").u16(), protocol_error);
  CHECK_THROWS_AS(field_reader("\1\2\3").u32(), protocol_error);
}

TEST_CASE("a message is taken when all of it is there, and refused when its length cannot be") {
  const auto whole = say::message('Z', "I");
  for (std::size_t n = 0; n < whole.size(); ++n) {
    std::string_view part = std::string_view(whole).substr(0, n);
    CHECK_FALSE(postgres::take_message(part));
    CHECK(part.size() == n);
  }
  const auto two = whole + "D\0\0\0\4"s;
  std::string_view rest = two;
  auto first = postgres::take_message(rest);
  REQUIRE(first);
  CHECK(first->type == 'Z');
  CHECK(first->payload == "I");
  auto second = postgres::take_message(rest);
  REQUIRE(second);
  CHECK(second->payload.empty());
  CHECK(rest.empty());
  for (const auto& bad : {"D\0\0\0\3"s, "D\0\0\0\0"s, "D\xff\xff\xff\xff"s, "D\x40\0\0\1"s, "D\x80\0\0\0"s}) {
    std::string_view text = bad;
    CHECK_THROWS_AS(postgres::take_message(text), protocol_error);
  }
  std::string_view largest("D\x40\0\0\0", 5);
  CHECK_FALSE(postgres::take_message(largest));
}

TEST_CASE("columns are read, and none is read that is not there") {
  const auto message = say::columns({23, 25}, 1);
  const auto read = postgres::read_columns(payload(message));
  REQUIRE(read.size() == 2);
  CHECK(read[1].name == "b");
  CHECK(read[1].type == 25);
  CHECK(read[1].format == wire_format::binary);
  CHECK(postgres::read_columns("\0\0"s).empty());
  const auto all = payload(message);
  for (std::size_t n = 0; n < all.size(); ++n)
    CHECK_THROWS_AS(postgres::read_columns(std::string_view(all).substr(0, n)), protocol_error);
  CHECK_THROWS_AS(postgres::read_columns("\xff\xff"s + std::string(1000, 'x')), protocol_error);
}

TEST_CASE("rows are kept when they are what was described") {
  using namespace postgres::oid;
  postgres::rows three(columns_of(say::columns({int4, 25, float8}, 1)));
  postgres::rows text(columns_of(say::columns({int8, 25, float8, boolean}, 0)));
  text.add(payload(say::row({"-5", "", "1.5", "t"})));
  text.add(payload(say::row({"12", "b", "-Infinity", "f"})));
  text.add("\0\4\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"s);
  CHECK(text.row_count() == 3);
  // In any order.
  CHECK(std::get<std::string_view>(text.at(1, 1)) == "b");
  CHECK(std::get<std::int64_t>(text.at(0, 0)) == -5);
  CHECK(std::get<double>(text.at(1, 2)) == -std::numeric_limits<double>::infinity());
  CHECK(std::get<std::int64_t>(text.at(0, 3)) == 1);
  CHECK(std::get<std::string_view>(text.at(0, 1)).empty());
  CHECK(std::get<std::int64_t>(text.at(1, 0)) == 12);
  for (std::size_t i = 0; i < 4; ++i) CHECK(data::is_null(text.at(2, i)));
  CHECK(text.column_name(2) == "c");
  // Too few, too many, cut, and lengths that reach beyond the end.
  const auto good = payload(say::row({"abcd", "x", "12345678"}));
  three.add(good);
  for (std::size_t n = 0; n < good.size(); ++n)
    CHECK_THROWS_AS(three.add(std::string_view(good).substr(0, n)), protocol_error);
  CHECK_THROWS_AS(three.add(payload(say::row({"abcd"}))), protocol_error);
  CHECK_THROWS_AS(three.add(payload(say::row({"a", "b", "c", "d"}))), protocol_error);
  CHECK_THROWS_AS(three.add("\0\3\0\0\0\1a\x7f\xff\xff\xff"s), protocol_error);
  CHECK_THROWS_AS(three.add("\0\3\0\0\0\1a\xff\xff\xff\xfe"s), protocol_error);
  CHECK(three.row_count() == 1);
  CHECK_THROWS_AS(postgres::rows(nullptr).add(payload(say::row({"1"}))), protocol_error);
}

TEST_CASE("random rows are refused or read to the end") {
  std::minstd_rand random(7);
  const auto shape = columns_of(say::columns({23, 25, 701, 16, 17}, 1));
  int kept = 0;
  for (int i = 0, rounds = effort(20'000); i < rounds; ++i) {
    std::string bytes = "\0\5"s;
    for (int cell = 0; cell < 5; ++cell) {
      const auto length = random() % 10;
      bytes += say::number(random() % 8 == 0 ? 0xffff'ffff : static_cast<std::uint32_t>(length), 4);
      for (auto n = random() % 12 == 0 ? random() % 10 : length; n > 0; --n)
        bytes += static_cast<char>(random() % 256);
    }
    postgres::rows all(shape);
    try {
      all.add(bytes);
    } catch (const protocol_error&) {
      continue;
    }
    ++kept;
    for (std::size_t column = 0; column < 5; ++column) try {
        (void)all.at(0, column);
      } catch (const corbel::failure& f) {
        CHECK(f.error().kind() == error_kind::internal);
      }
  }
  CHECK(kept > 100);
}

TEST_CASE("the tag tells how many rows a statement changed") {
  CHECK(postgres::affected_rows("INSERT 0 5") == 5);
  CHECK(postgres::affected_rows("UPDATE 12") == 12);
  CHECK(postgres::affected_rows("DELETE 0") == 0);
  CHECK(postgres::affected_rows("MERGE 3") == 3);
  for (const char* other :
       {"SELECT 5", "CREATE TABLE", "", "UPDATE", "INSERT 0 x", "UPDATE 99999999999999999999"})
    CHECK(postgres::affected_rows(other) == 0);
}
