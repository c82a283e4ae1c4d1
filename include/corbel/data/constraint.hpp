#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <corbel/base/error.hpp>

namespace corbel::data {

enum class constraint_kind : std::uint8_t { unique, foreign_key, not_null, check };

/// Which rule of the database a statement broke. Found on the error that the statement gave:
/// `if (auto* broken = data::constraint_of(e); broken && broken->is_unique_on("name")) ...`
struct constraint : error_origin {
  constraint_kind kind = constraint_kind::check;
  std::string table;                 ///< empty when the database does not say
  std::vector<std::string> columns;  ///< as in SQL; empty when the database does not say
  std::string name;                  ///< of the constraint or index; empty when the database does not say

  /// Whether it is a unique constraint with this field, in camelCase or snake_case, among its columns.
  bool is_unique_on(std::string_view field) const;
};

/// Null when the error is no broken constraint. It lives as long as the error.
const constraint* constraint_of(const error& e) noexcept;

/// The error for a broken constraint: unique ("unique_violation") and foreign key ("foreign_key_violation")
/// are conflicts, not null ("not_null_violation") and check ("check_violation") are unprocessable. The detail
/// "field" names the fields in camelCase. `cause` is what the database said.
error constraint_error(constraint broken, std::string cause);
/// The same for a driver that knows more: `broken` may be of a class derived from `constraint`.
error constraint_error(std::shared_ptr<const constraint> broken, std::string cause);

/// The error for a rule that is written in the database as code, a trigger's `raise`: "rule_violation",
/// unprocessable.
error rule_error();

}  // namespace corbel::data
