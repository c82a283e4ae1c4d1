#include "data/sqlite/errors.hpp"

#include <sqlite3.h>

#include <string>

#include "corbel/data/constraint.hpp"

namespace corbel::sqlite {
namespace {

using data::constraint;
using data::constraint_kind;

/// SQLite tells what was broken in words only: "UNIQUE constraint failed: projects.name, projects.owner",
/// "... failed: index 'projects_lower_name'", "CHECK constraint failed: priority_range".
constraint read_constraint(constraint_kind kind, std::string_view message) {
  constraint broken;
  broken.kind = kind;
  constexpr std::string_view marker = "constraint failed: ";
  const auto at = message.find(marker);
  if (at == std::string_view::npos) return broken;
  std::string_view subject = message.substr(at + marker.size());
  constexpr std::string_view index = "index '";
  if (subject.substr(0, index.size()) == index) {
    subject.remove_prefix(index.size());
    broken.name = subject.substr(0, subject.rfind('\''));
    return broken;
  }
  if (kind == constraint_kind::check) {
    broken.name = subject;
    return broken;
  }
  while (!subject.empty()) {
    const auto comma = subject.find(", ");
    const auto column = subject.substr(0, comma);
    const auto dot = column.find('.');
    if (dot != std::string_view::npos) {
      broken.table = column.substr(0, dot);
      broken.columns.emplace_back(column.substr(dot + 1));
    }
    subject = comma == std::string_view::npos ? std::string_view() : subject.substr(comma + 2);
  }
  return broken;
}

/// SQLite carries out ON DELETE RESTRICT by a trigger of its own, whose words alone tell it from others.
error trigger_error(std::string_view message, std::string cause) {
  if (message == "FOREIGN KEY constraint failed")
    return data::constraint_error(read_constraint(constraint_kind::foreign_key, message), std::move(cause));
  return data::rule_error().because(std::move(cause));
}

}  // namespace

error to_error(int extended_code, std::string_view message, std::string_view sql) {
  std::string cause = "SQLite: ";
  cause += message;
  cause += " (code " + std::to_string(extended_code) + ") in: ";
  cause += sql;
  const auto broke = [&](constraint_kind kind) {
    return data::constraint_error(read_constraint(kind, message), std::move(cause));
  };
  switch (extended_code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID: return broke(constraint_kind::unique);
    case SQLITE_CONSTRAINT_FOREIGNKEY: return broke(constraint_kind::foreign_key);
    case SQLITE_CONSTRAINT_NOTNULL: return broke(constraint_kind::not_null);
    case SQLITE_CONSTRAINT_CHECK:
    case SQLITE_CONSTRAINT_DATATYPE: return broke(constraint_kind::check);
    case SQLITE_CONSTRAINT_TRIGGER: return trigger_error(message, std::move(cause));
    default: break;
  }
  switch (extended_code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return unavailable("The database is busy. Try again shortly.", "database_busy")
          .retry_after(std::chrono::seconds(1))
          .because(std::move(cause));
    case SQLITE_FULL:
      return unavailable("The service cannot store anything at the moment.", "storage_full")
          .retry_after(std::chrono::seconds(60))
          .because(std::move(cause));
    case SQLITE_INTERRUPT:
      return error{error_kind::deadline_exceeded, "cancelled", "The work was cancelled before it was done."}
          .because(std::move(cause));
    default: return internal_error(std::move(cause));
  }
}

}  // namespace corbel::sqlite
