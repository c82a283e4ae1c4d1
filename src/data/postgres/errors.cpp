#include "data/postgres/errors.hpp"

#include <charconv>
#include <chrono>

#include "corbel/data/constraint.hpp"
#include "corbel/data/transaction_options.hpp"
#include "data/postgres/wire_reader.hpp"

namespace corbel::postgres {
namespace {

using data::constraint_kind;

struct reported : error_origin, server_report {
  explicit reported(server_report said) : server_report(std::move(said)) {}
};
struct transiently_reported final : reported, data::transient_origin {
  using reported::reported;
};
struct broken_constraint final : data::constraint, server_report {
  explicit broken_constraint(server_report said) : server_report(std::move(said)) {}
};

/// Unique: "Key (name, owner)=(x, y) already exists."; the same form for foreign keys. The server translates
/// the words, not the form.
std::vector<std::string> columns_in(std::string_view detail) {
  std::vector<std::string> names;
  const auto open = detail.find('(');
  const auto close = detail.find(")=(", open);
  if (open == std::string_view::npos || close == std::string_view::npos) return names;
  auto list = detail.substr(open + 1, close - open - 1);
  while (!list.empty()) {
    const auto comma = list.find(", ");
    auto name = list.substr(0, comma);
    if (name.size() > 2 && name.front() == '"' && name.back() == '"') name = name.substr(1, name.size() - 2);
    names.emplace_back(name);
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 2);
  }
  // An index on an expression, such as lower(name), names no column.
  for (const auto& name : names)
    if (name.find_first_of("()") != std::string::npos) return {};
  return names;
}

std::string cause_of(const server_report& said, std::string_view sql) {
  std::string cause = "Postgres: " + said.message + " (SQLSTATE " + said.sql_state + ")";
  const auto add = [&](const char* what, const std::string& text) {
    if (!text.empty()) cause += std::string("; ") + what + ": " + text;
  };
  add("detail", said.detail);
  add("hint", said.hint);
  add("where", said.where);
  // Nobody but us prepares statements on our sessions, unless a pooler passes them on to others.
  if (said.sql_state == "42P05" || said.sql_state == "26000")
    cause += "; if a pooler such as PgBouncer stands in between, add pooler=transaction to the database URL";
  if (!sql.empty()) {
    cause += "; in: ";
    cause += sql;
  }
  return cause;
}

error constraint_failure(constraint_kind kind, server_report said, std::string cause) {
  auto broken = std::make_shared<broken_constraint>(std::move(said));
  const server_report& report = *broken;
  broken->kind = kind;
  broken->data::constraint::table = report.table;
  broken->name = report.constraint;
  if (!report.column.empty())
    broken->columns = {report.column};
  else
    broken->columns = columns_in(report.detail);
  return data::constraint_error(std::shared_ptr<const data::constraint>(broken), std::move(cause));
}

error with_origin(error e, server_report said, std::string cause) {
  return std::move(e).because(std::move(cause)).from(std::make_shared<const reported>(std::move(said)));
}

error transient(server_report said, std::string cause) {
  return unavailable("Others changed the same data at this moment. Try again.", "transaction_conflict")
      .retry_after(std::chrono::seconds(1))
      .because(std::move(cause))
      .from(std::make_shared<const transiently_reported>(std::move(said)));
}

error map_plainly(std::string_view state) {
  using std::chrono::seconds;
  const auto group = state.substr(0, 2);
  if (state == "57014")
    return {error_kind::deadline_exceeded, "statement_cancelled", "The work took too long and was stopped."};
  if (state == "55P03") return conflict("Someone else is changing this right now. Try again.", "row_locked");
  if (state == "P0001") return data::rule_error();
  if (state == "53100")
    return unavailable("The service cannot store anything at the moment.", "storage_full")
        .retry_after(seconds(60));
  if (state == "25006")
    return unavailable("The database takes no changes at the moment.", "database_read_only")
        .retry_after(seconds(2));
  if (group == "08" || group == "53" || group == "57" || group == "58" || state == "25P03" ||
      state == "25P04")
    return unavailable("The database is not available. Try again shortly.", "database_unavailable")
        .retry_after(seconds(1));
  // 54000: too large for an index.
  if (group == "22" || state == "54000")
    return malformed("A value has a form that cannot be stored.", "invalid_value");
  return internal_error({});
}

std::size_t position_in(std::string_view text) {
  std::size_t n = 0;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

}  // namespace

server_report read_report(std::string_view payload) {
  server_report said;
  field_reader fields(payload);
  for (;;) {
    const char code = static_cast<char>(fields.byte());
    if (code == '\0') return said;
    const auto text = fields.text();
    switch (code) {
      case 'C': said.sql_state = text; break;
      case 'V': said.severity = text; break;
      case 'M': said.message = text; break;
      case 'D': said.detail = text; break;
      case 'H': said.hint = text; break;
      case 'W': said.where = text; break;
      case 's': said.schema = text; break;
      case 't': said.table = text; break;
      case 'c': said.column = text; break;
      case 'd': said.type = text; break;
      case 'n': said.constraint = text; break;
      case 'R': said.routine = text; break;
      case 'P': said.position = position_in(text); break;
      default: break;
    }
  }
}

error to_error(server_report said, std::string_view sql) {
  auto cause = cause_of(said, sql);
  const std::string_view state = said.sql_state;
  const auto broke = [&](constraint_kind kind) {
    return constraint_failure(kind, std::move(said), std::move(cause));
  };
  if (state == "23505" || state == "23P01") return broke(constraint_kind::unique);
  if (state == "23503" || state == "23001") return broke(constraint_kind::foreign_key);
  if (state == "23502") return broke(constraint_kind::not_null);
  if (state.starts_with("23")) return broke(constraint_kind::check);
  // A table was altered since its statement was prepared: prepared anew, it succeeds.
  const bool old_plan = state == "0A000" && said.routine == "RevalidateCachedQuery";
  if (state == "40001" || state == "40P01" || old_plan) return transient(std::move(said), std::move(cause));
  auto plain = map_plainly(state);
  return with_origin(std::move(plain), std::move(said), std::move(cause));
}

error denied(error internal) {
  auto refused = forbidden("You may not do this.", "row_denied").because(internal.cause());
  if (const auto* said = internal.origin<reported>())
    return std::move(refused).from(std::make_shared<const reported>(*said));
  return refused;
}

error connection_error(std::string cause) {
  return unavailable("The database is not available. Try again shortly.", "database_unavailable")
      .retry_after(std::chrono::seconds(1))
      .because(std::move(cause));
}

error unknown_outcome(std::string cause) {
  return unavailable(
             "The connection to the database was lost while this was being stored: it may have been, or not. "
             "Look before you send it again.",
             "commit_unknown")
      .because("a change may have been stored, or not: " + cause);
}

error busy_error(std::string cause) {
  return unavailable("The database is busy. Try again shortly.", "database_busy")
      .retry_after(std::chrono::seconds(1))
      .because(std::move(cause));
}

bool is_fatal(const server_report& said) noexcept {
  return said.severity == "FATAL" || said.severity == "PANIC";
}

const server_report* report_of(const error& e) noexcept {
  return e.origin<server_report>();
}

bool is_sql_state(const error& e, std::string_view state) noexcept {
  const auto* said = report_of(e);
  return said && said->sql_state == state;
}

}  // namespace corbel::postgres
