#pragma once

#include <string>
#include <vector>

#include "corbel/data/entity.hpp"
#include "corbel/data/list_query.hpp"

namespace corbel::data {

/// SQL text that grows together with its values. Only names of the entity and text of ours go into it.
class sql_builder {
 public:
  sql_builder(const dialect& language, std::string start) : language_(language), text_(std::move(start)) {}

  const dialect& language() const noexcept { return language_; }

  sql_builder& add(std::string_view sql) {
    text_ += sql;
    return *this;
  }
  /// Appends the placeholder of a value.
  sql_builder& bind(value v) { return add(next(std::move(v))); }
  /// The placeholder of a value, to be put into text that is added at once.
  std::string next(value v) {
    values_.push_back(std::move(v));
    return "$" + std::to_string(values_.size());
  }

  statement take() && { return statement::owning(std::move(text_), std::move(values_)); }

 private:
  const dialect& language_;
  std::string text_;
  std::vector<value> values_;
};

/// " where ..." for the conditions and, with a soft-delete field, for rows that are not removed. Empty when
/// every row counts. Throws std::logic_error for a field that the entity does not have, and for a comparison
/// that its type does not know.
void add_where(sql_builder& sql, const entity& of, const std::vector<condition>& conditions);

/// The column of a field, or std::logic_error.
const entity::column& column_of(const entity& of, std::string_view field);

/// The columns a list is ordered by, the key last.
struct order_column {
  const entity::column* column;
  bool descending;
  std::string sql;  ///< how it is compared

  bool is_nullable() const noexcept { return column->field->type->kind == type_kind::optional; }
};
std::vector<order_column> order_of(const dialect& language, const entity& of,
                                   const std::vector<sort_key>& sort);
void add_order(sql_builder& sql, const std::vector<order_column>& order);

/// " limit ... offset ..."
void add_limit(sql_builder& sql, std::size_t most, std::size_t before);

/// The rows after those that have `last` in the columns of `order`. Where the first of them is never NULL, an
/// index in this order finds the place; behind a first column that may be NULL, rows are passed over one by
/// one.
void add_after(sql_builder& sql, const std::vector<order_column>& order, const std::vector<value>& last);

}  // namespace corbel::data
