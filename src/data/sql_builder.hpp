#pragma once

#include <string>
#include <vector>

#include "corbel/data/entity.hpp"
#include "corbel/data/list_query.hpp"

namespace corbel::data {

/// SQL text that grows together with its values. Only names of the entity and text of ours go into it.
class sql_builder {
 public:
  explicit sql_builder(std::string start) : text_(std::move(start)) {}

  sql_builder& add(std::string_view sql) {
    text_ += sql;
    return *this;
  }
  /// Appends the placeholder of a value.
  sql_builder& bind(value v) {
    values_.push_back(std::move(v));
    text_ += '$';
    text_ += std::to_string(values_.size());
    return *this;
  }

  statement take() && { return statement::owning(std::move(text_), std::move(values_)); }

 private:
  std::string text_;
  std::vector<value> values_;
};

/// " where ..." for the conditions and, with a soft-delete field, for rows that are not removed. Empty when
/// every row counts. Throws std::logic_error for a field that the entity does not have.
void add_where(sql_builder& sql, const entity& of, const std::vector<condition>& conditions);

/// The column of a field, or std::logic_error.
const entity::column& column_of(const entity& of, std::string_view field);

/// The columns a list is ordered by, the key last.
struct order_column {
  const entity::column* column;
  bool descending;
};
std::vector<order_column> order_of(const entity& of, const std::vector<sort_key>& sort);
void add_order(sql_builder& sql, const std::vector<order_column>& order);

/// " limit ... offset ..."
void add_limit(sql_builder& sql, std::size_t most, std::size_t before);

/// " and (...)": the rows after those that have `last` in the columns of `order`.
void add_after(sql_builder& sql, const std::vector<order_column>& order, const std::vector<value>& last);

}  // namespace corbel::data
