#include "data/postgres/copy_session.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <charconv>

#include "data/postgres/connect_advice.hpp"
#include "data/postgres/errors.hpp"
#include "data/postgres/oids.hpp"
#include "data/postgres/rows.hpp"

namespace corbel::postgres {
namespace {

const char kind = 0;

std::string text_of(const PGresult* from, int field) {
  const char* text = PQresultErrorField(from, field);
  return text ? text : "";
}

server_report report_in(const PGresult* from) {
  server_report said;
  said.sql_state = text_of(from, PG_DIAG_SQLSTATE);
  said.severity = text_of(from, PG_DIAG_SEVERITY_NONLOCALIZED);
  said.message = text_of(from, PG_DIAG_MESSAGE_PRIMARY);
  said.detail = text_of(from, PG_DIAG_MESSAGE_DETAIL);
  said.hint = text_of(from, PG_DIAG_MESSAGE_HINT);
  said.where = text_of(from, PG_DIAG_CONTEXT);
  said.schema = text_of(from, PG_DIAG_SCHEMA_NAME);
  said.table = text_of(from, PG_DIAG_TABLE_NAME);
  said.column = text_of(from, PG_DIAG_COLUMN_NAME);
  said.type = text_of(from, PG_DIAG_DATATYPE_NAME);
  said.constraint = text_of(from, PG_DIAG_CONSTRAINT_NAME);
  return said;
}

std::int64_t number_in(std::string_view text) {
  std::int64_t n = 0;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

}  // namespace

detail::session_maker copy_session::maker(const options&) {
  detail::session_maker how;
  how.kind = &kind;
  how.open = [](const std::string& conninfo) -> std::unique_ptr<detail::blocking_session> {
    PGconn* made = PQconnectdb(conninfo.c_str());
    if (made && PQstatus(made) == CONNECTION_OK) return std::make_unique<copy_session>(made);
    const std::string why = made ? PQerrorMessage(made) : "out of memory";
    PQfinish(made);
    throw failure(connection_error("Postgres cannot be reached: " + why + "; " + connect_advice(why)));
  };
  return how;
}

copy_session::copy_session(pg_conn* handle) : handle_(handle), stop_(handle) {
  PQsetNoticeProcessor(
      handle_, [](void*, const char*) {}, nullptr);
}

copy_session::~copy_session() {
  PQfinish(handle_);
}

void copy_session::cancel() noexcept {
  stop_.cancel();
}

int copy_session::descriptor() noexcept {
  return PQsocket(handle_);
}

bool copy_session::reset() {
  const auto state = PQtransactionStatus(handle_);
  if (state == PQTRANS_INTRANS || state == PQTRANS_INERROR)
    run("ROLLBACK");
  else if (state != PQTRANS_IDLE)
    return false;
  run(detail::reset_session);
  return true;
}

void copy_session::result_deleter::operator()(pg_result* r) const noexcept {
  PQclear(r);
}

std::string copy_session::cause() const {
  std::string text = PQerrorMessage(handle_);
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

void copy_session::fail(const pg_result* result, const std::string& sql) {
  auto said = result ? report_in(result) : server_report();
  if (said.sql_state.empty()) throw failure(connection_error("the connection broke: " + cause()));
  throw failure(to_error(std::move(said), sql));
}

copy_session::result_ptr copy_session::check(pg_result* result, int expected, const std::string& sql) {
  result_ptr kept(result);
  const int status = PQresultStatus(kept.get());
  if (status == expected) return kept;
  if (status == PGRES_FATAL_ERROR || !kept) fail(kept.get(), sql);
  const bool wants_in = expected == PGRES_COPY_IN;
  throw failure(internal_error(std::string("this SQL is no ") +
                               (wants_in ? "COPY ... FROM STDIN" : "COPY ... TO STDOUT") + ": " + sql));
}

/// What is left of the statement's answers: an error among them undoes what seemed to be done.
void copy_session::drain() {
  result_ptr failed;
  while (result_ptr more{PQgetResult(handle_)}) {
    const auto status = PQresultStatus(more.get());
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) break;
    if (status == PGRES_FATAL_ERROR && !failed) failed = std::move(more);
  }
  if (failed) fail(failed.get(), sql_);
}

void copy_session::begin() {
  run("BEGIN; SET LOCAL statement_timeout = 0");
}

void copy_session::commit() {
  if (PQtransactionStatus(handle_) != PQTRANS_INTRANS) return;
  const result_ptr done(PQexec(handle_, "COMMIT"));
  if (PQresultStatus(done.get()) == PGRES_COMMAND_OK) return;
  const bool answered = done && PQresultErrorField(done.get(), PG_DIAG_SQLSTATE);
  if (!answered) throw failure(unknown_outcome("the connection broke at the end of a COPY: " + cause()));
  fail(done.get(), sql_);
}

void copy_session::run(const std::string& sql) {
  const result_ptr done(PQexec(handle_, sql.c_str()));
  const auto status = PQresultStatus(done.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) fail(done.get(), sql);
}

columns copy_session::describe(const std::string& sql) {
  (void)check(PQprepare(handle_, "", sql.c_str(), 0, nullptr), PGRES_COMMAND_OK, sql);
  const auto shape = check(PQdescribePrepared(handle_, ""), PGRES_COMMAND_OK, sql);
  columns all;
  for (int i = 0; i < PQnfields(shape.get()); ++i) {
    column one;
    one.name = PQfname(shape.get(), i);
    one.type = PQftype(shape.get(), i);
    all.push_back(std::move(one));
  }
  return all;
}

std::vector<std::uint32_t> copy_session::array_parameters(const std::string& sql) {
  (void)check(PQprepare(handle_, "", sql.c_str(), 0, nullptr), PGRES_COMMAND_OK, sql);
  const auto shape = check(PQdescribePrepared(handle_, ""), PGRES_COMMAND_OK, sql);
  std::vector<std::uint32_t> types;
  for (int i = 0; i < PQnparams(shape.get()); ++i) types.push_back(PQparamtype(shape.get(), i));
  for (auto& type : types) {
    if (type >= oid::first_user && !is_array_of_users(type)) type = 0;
    if (type < oid::first_user && !is_array(type)) type = 0;
  }
  return types;
}

/// Whether a type that was made later is an array, the catalog knows.
bool copy_session::is_array_of_users(std::uint32_t type) {
  const auto sql =
      "select 1 from pg_catalog.pg_type where typcategory = 'A' and oid = " + std::to_string(type);
  return PQntuples(check(PQexec(handle_, sql.c_str()), PGRES_TUPLES_OK, sql).get()) == 1;
}

std::vector<std::uint32_t> copy_session::array_types(const std::string& table,
                                                     const std::vector<std::string>& names) {
  const std::string sql =
      "select a.attname, a.atttypid from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = "
      "a.atttypid "
      "where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped and t.typcategory = 'A'";
  const char* value = table.c_str();
  const auto found = check(PQexecParams(handle_, sql.c_str(), 1, nullptr, &value, nullptr, nullptr, 0),
                           PGRES_TUPLES_OK, sql);
  std::vector<std::uint32_t> types(names.size());
  for (int row = 0; row < PQntuples(found.get()); ++row) {
    const auto at = std::find(names.begin(), names.end(), PQgetvalue(found.get(), row, 0));
    if (at == names.end()) continue;
    types[static_cast<std::size_t>(at - names.begin())] =
        static_cast<std::uint32_t>(number_in(PQgetvalue(found.get(), row, 1)));
  }
  return types;
}

void copy_session::begin_in(const std::string& sql) {
  sql_ = sql;
  (void)check(PQexec(handle_, sql.c_str()), PGRES_COPY_IN, sql);
}

void copy_session::send(std::string_view piece) {
  constexpr std::size_t most = std::size_t{1} << 20;
  while (!piece.empty()) {
    const auto some = piece.substr(0, most);
    if (PQputCopyData(handle_, some.data(), static_cast<int>(some.size())) != 1) {
      const result_ptr said(PQgetResult(handle_));
      fail(said.get(), sql_);
    }
    piece.remove_prefix(some.size());
  }
  // An error that came meanwhile need not wait for the end.
  if (PQconsumeInput(handle_) != 1) fail(nullptr, sql_);
}

std::int64_t copy_session::finish_in() {
  if (PQputCopyEnd(handle_, nullptr) != 1) fail(nullptr, sql_);
  const result_ptr done(PQgetResult(handle_));
  if (PQresultStatus(done.get()) != PGRES_COMMAND_OK) {
    const bool answered = done && PQresultErrorField(done.get(), PG_DIAG_SQLSTATE);
    if (!answered) throw failure(unknown_outcome("the connection broke at the end of a COPY: " + cause()));
    drain();
    fail(done.get(), sql_);
  }
  const auto rows = number_in(PQcmdTuples(done.get()));
  drain();
  commit();
  return rows;
}

void copy_session::begin_out(const std::string& sql) {
  sql_ = sql;
  (void)check(PQexec(handle_, sql.c_str()), PGRES_COPY_OUT, sql);
}

bool copy_session::receive(std::string& into) {
  char* row = nullptr;
  const int length = PQgetCopyData(handle_, &row, 0);
  if (length > 0) {
    const std::unique_ptr<char, void (*)(void*)> owner(row, &PQfreemem);
    into.append(row, static_cast<std::size_t>(length));
    return true;
  }
  if (length == -2) fail(nullptr, sql_);
  const result_ptr done(PQgetResult(handle_));
  if (PQresultStatus(done.get()) != PGRES_COMMAND_OK) fail(done.get(), sql_);
  drain();
  commit();
  return false;
}

}  // namespace corbel::postgres
