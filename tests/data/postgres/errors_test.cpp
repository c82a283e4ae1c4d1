// What becomes of a server's report: a kind, a code and a sentence that tell nothing of SQL or values.

#include "data/postgres/errors.hpp"

#include <random>

#include "corbel/data/constraint.hpp"
#include "corbel/data/transaction_options.hpp"
#include "data/postgres/wire_reader.hpp"
#include "support/tasks.hpp"

namespace {

struct row {
  const char* state;
  error_kind kind;
  const char* code;
};
/// docs/postgres.md has the same table.
constexpr row table[] = {
    {"23505", error_kind::conflict, "unique_violation"},
    {"23P01", error_kind::conflict, "unique_violation"},
    {"23503", error_kind::conflict, "foreign_key_violation"},
    {"23001", error_kind::conflict, "foreign_key_violation"},
    {"23502", error_kind::unprocessable, "not_null_violation"},
    {"23514", error_kind::unprocessable, "check_violation"},
    {"22001", error_kind::malformed, "invalid_value"},
    {"22003", error_kind::malformed, "invalid_value"},
    {"22012", error_kind::malformed, "invalid_value"},
    {"22021", error_kind::malformed, "invalid_value"},
    {"22P02", error_kind::malformed, "invalid_value"},
    {"54000", error_kind::malformed, "invalid_value"},
    {"40001", error_kind::unavailable, "transaction_conflict"},
    {"40P01", error_kind::unavailable, "transaction_conflict"},
    {"55P03", error_kind::conflict, "row_locked"},
    {"57014", error_kind::deadline_exceeded, "statement_cancelled"},
    {"57P01", error_kind::unavailable, "database_unavailable"},
    {"57P02", error_kind::unavailable, "database_unavailable"},
    {"57P03", error_kind::unavailable, "database_unavailable"},
    {"25P03", error_kind::unavailable, "database_unavailable"},
    {"25P04", error_kind::unavailable, "database_unavailable"},
    {"25006", error_kind::unavailable, "database_read_only"},
    {"53100", error_kind::unavailable, "storage_full"},
    {"53200", error_kind::unavailable, "database_unavailable"},
    {"53300", error_kind::unavailable, "database_unavailable"},
    {"53400", error_kind::unavailable, "database_unavailable"},
    {"58030", error_kind::unavailable, "database_unavailable"},
    {"08006", error_kind::unavailable, "database_unavailable"},
    {"P0001", error_kind::unprocessable, "rule_violation"},
    {"42501", error_kind::internal, "internal_error"},
    {"42P01", error_kind::internal, "internal_error"},
    {"42601", error_kind::internal, "internal_error"},
    {"XX000", error_kind::internal, "internal_error"},
    {"", error_kind::internal, "internal_error"},
};

/// All that a client may be shown.
std::string shown(const corbel::error& e) {
  auto all = e.code() + " " + e.message();
  for (const auto& [name, value] : e.details()) all += " " + name + " " + value;
  for (const auto& v : e.violations()) all += " " + v.path + v.message;
  return all;
}

task<void> run_as(data::source on, std::string sql) {
  const data::trusted text(sql);
  co_await on.execute(text);
}

}  // namespace

TEST_CASE("each SQLSTATE becomes what a client can act on, and tells nothing of SQL or values") {
  for (const auto& one : table) {
    CAPTURE(one.state);
    postgres::server_report said;
    said.sql_state = one.state;
    said.severity = "ERROR";
    said.message = "secret message";
    said.detail = "Key (mail_box)=(secret@example.org) already exists.";
    said.hint = "secret hint";
    said.where = "secret place";
    said.table = "secret_table";
    said.constraint = "secret_constraint";
    const auto e = postgres::to_error(said, "select secret from vault");
    CHECK(e.kind() == one.kind);
    CHECK(e.code() == one.code);
    CHECK_FALSE(contains(shown(e), "secret"));
    CHECK_FALSE(contains(shown(e), "vault"));
    CHECK(contains(e.cause(), "secret message"));
    CHECK(contains(e.cause(), "select secret from vault"));
    CHECK(contains(e.cause(), one.state));
    REQUIRE(postgres::report_of(e));
    CHECK(postgres::report_of(e)->detail == said.detail);
    CHECK(postgres::is_sql_state(e, one.state));
    CHECK(data::is_transient(e) == (std::string_view(one.state).starts_with("40")));
    CHECK_FALSE(data::is_commit_unknown(e));
  }
}

TEST_CASE("a value that is too large for its index is the client's") {
  const temporary_postgres own;
  run(own->execute("create table names (name text primary key)"));
  // Digests do not shrink.
  const auto refused = failure_of(
      own->execute("insert into names select string_agg(md5(i::text), '') from generate_series(1, 300) i"));
  CHECK(refused.kind() == error_kind::malformed);
  CHECK(refused.code() == "invalid_value");
  CHECK(contains(refused.cause(), "54000"));
}

TEST_CASE("whoever acts for somebody is refused where we would be at fault") {
  const temporary_postgres own;
  run(own->execute("create table vault (n int)"));
  run(
      own->execute("do $$ begin if not exists (select from pg_roles where rolname = 'corbel_guest') then "
                   "create role corbel_guest; end if; end $$"));
  const postgres::database db(*own);
  const auto refused = failure_of(run_as(db.as(postgres::identity("corbel_guest")), "select * from vault"));
  CHECK(refused.kind() == error_kind::forbidden);
  CHECK(refused.code() == "row_denied");
  CHECK_FALSE(contains(shown(refused), "vault"));
  CHECK(postgres::is_sql_state(refused, "42501"));
}

TEST_CASE("a broken constraint names its fields") {
  const temporary_postgres own;
  run(own->execute(
      "create table people (id int primary key, mail_box text, first_name text, last_name text "
      "not null default 'x', age int constraint adult check (age > 17), boss int references people, "
      "constraint full_name unique (first_name, last_name))"));
  run(own->execute("create unique index on people (lower(mail_box))"));
  run(own->execute("insert into people (id, mail_box, first_name) values (1, 'Secret@x', 'Secret')"));
  const auto failed = [&](const char* sql) { return failure_of(run_as(*own, sql)); };
  const auto field = [](const corbel::error& e) {
    for (const auto& [name, value] : e.details())
      if (name == "field") return value;
    return std::string();
  };
  CHECK(field(failed("insert into people (id) values (1)")) == "id");
  CHECK(field(failed("insert into people (id, first_name) values (2, 'Secret')")) == "firstName,lastName");
  CHECK(field(failed("insert into people (id, mail_box) values (3, 'secret@X')")).empty());
  CHECK(field(failed("insert into people (id, boss) values (4, 99)")) == "boss");
  CHECK(field(failed("insert into people (id, last_name) values (5, null)")) == "lastName");
  const auto minor = failed("insert into people (id, age) values (6, 4)");
  REQUIRE(data::constraint_of(minor));
  CHECK(data::constraint_of(minor)->name == "adult");
  CHECK(data::constraint_of(minor)->kind == data::constraint_kind::check);
  CHECK(data::constraint_of(minor)->table == "people");
  CHECK(shown(minor).find("people") == std::string::npos);
}

TEST_CASE("what a server says in the midst of work becomes what the table says") {
  const temporary_postgres own("connections=2");
  run(own->execute("create table numbers (n int primary key)"));
  const auto raised = [&](const std::string& state) {
    return failure_of(run_as(*own, "do $$ begin raise exception using errcode = '" + state +
                                       "', message = 'secret', detail = 'secret'; end $$"));
  };
  for (const auto& one : table) {
    if (!*one.state) continue;
    CAPTURE(one.state);
    const auto e = raised(one.state);
    CHECK(e.kind() == one.kind);
    CHECK(e.code() == one.code);
    CHECK_FALSE(contains(shown(e), "secret"));
  }
  // While it is prepared, too.
  CHECK(failure_of(run_as(*own, "select 'abc'::int")).kind() == error_kind::malformed);
  CHECK(failure_of(run_as(*own, "selct 1")).kind() == error_kind::internal);
}

TEST_CASE("a report is read whatever its fields are, and one that has no end is an error") {
  using namespace std::string_literals;
  const auto said = postgres::read_report(
      "SFEHLER\0VERROR\0C23505\0Mm\0Dd\0Hh\0P12\0p1\0qq\0Ww\0ss\0tt\0cc\0dd\0nn\0Ff\0L1\0Rr\0?x\0\0"s);
  CHECK(said.severity == "ERROR");
  CHECK(said.sql_state == "23505");
  CHECK(said.position == 12);
  CHECK(said.constraint == "n");
  CHECK(postgres::read_report("P-1\0\0"s).position == 0);
  CHECK(postgres::read_report("\0"s).sql_state.empty());
  std::minstd_rand random(3);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes;
    for (auto left = random() % 30; left > 0; --left)
      bytes += random() % 4 == 0 ? '\0' : "SVCMDHPWstcdnX"[random() % 14];
    try {
      const auto e = postgres::to_error(postgres::read_report(bytes), "select 1");
      CHECK_FALSE(e.message().empty());
    } catch (const postgres::protocol_error&) {
    }
  }
}
