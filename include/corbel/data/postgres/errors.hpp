#pragma once

#include <string>

#include <corbel/base/error.hpp>

namespace corbel::postgres {

/// What the server said of a failure (PostgreSQL documentation, "Error and Notice Message Fields"). It may
/// hold SQL and values: for code and logs, not for clients.
struct server_report {
  virtual ~server_report() = default;

  std::string sql_state;  ///< five characters, such as "23505"; "" when the connection broke
  std::string severity;   ///< "ERROR", "FATAL" or "PANIC"
  std::string message;
  std::string detail;
  std::string hint;
  std::string where;
  std::string schema;
  std::string table;
  std::string column;
  std::string type;
  std::string constraint;
  std::string routine;       ///< the function of the server that found it; for tests of what it was
  std::size_t position = 0;  ///< of the character in the SQL, from 1; 0 when it does not say
};

/// What the server said, for an error that one of its reports became; null for any other. It lives as long as
/// the error.
const server_report* report_of(const error& e) noexcept;

/// Whether the error has this SQLSTATE, such as "55P03" (lock not available).
bool is_sql_state(const error& e, std::string_view state) noexcept;

}  // namespace corbel::postgres
