#include "data/sql_builder.hpp"

#include <stdexcept>

namespace corbel::data {
namespace {

/// A pattern of LIKE that finds the text itself, with '\' as escape.
std::string like_pattern(std::string_view text) {
  std::string out = "%";
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '\\') out += '\\';
    out += c;
  }
  return out + '%';
}

std::string_view operator_of(comparison how) {
  switch (how) {
    case comparison::not_equal: return " <> ";
    case comparison::less: return " < ";
    case comparison::at_most: return " <= ";
    case comparison::more: return " > ";
    case comparison::at_least: return " >= ";
    default: return " = ";
  }
}

void add_condition(sql_builder& sql, const entity::column& column, const condition& c) {
  const bool nullable = column.field->type->kind == type_kind::optional;
  if (is_null(c.operand)) {
    // A comparison with NULL, other than for equality, holds for no row.
    sql.add(column.sql)
        .add(c.how == comparison::equal       ? " is null"
             : c.how == comparison::not_equal ? " is not null"
                                              : " = null");
    return;
  }
  if (c.how == comparison::contains) {
    const auto* text = std::get_if<std::string>(&c.operand);
    sql.add("lower(")
        .add(column.sql)
        .add(") like lower(")
        .bind(like_pattern(text ? *text : ""))
        .add(") escape '\\'");
    return;
  }
  const bool also_null = c.how == comparison::not_equal && nullable;
  if (also_null) sql.add("(").add(column.sql).add(" is null or ");
  sql.add(column.sql).add(operator_of(c.how)).bind(c.operand);
  if (also_null) sql.add(")");
}

bool is_nullable(const order_column& by) {
  return by.column->field->type->kind == type_kind::optional;
}

}  // namespace

const entity::column& column_of(const entity& of, std::string_view field) {
  const auto* column = of.find(field);
  if (!column)
    throw std::logic_error("corbel: the table \"" + std::string(of.table().name()) + "\" has no field \"" +
                           std::string(field) + "\"; fields go by their wire names");
  return *column;
}

void add_where(sql_builder& sql, const entity& of, const std::vector<condition>& conditions) {
  std::string_view word = " where ";
  if (of.deleted()) {
    sql.add(word).add(of.deleted()->sql).add(" is null");
    word = " and ";
  }
  for (const auto& one : conditions) {
    sql.add(word);
    add_condition(sql, column_of(of, one.field), one);
    word = " and ";
  }
}

std::vector<order_column> order_of(const entity& of, const std::vector<sort_key>& sort) {
  std::vector<order_column> order;
  bool by_key = false;
  for (const auto& one : sort) {
    order.push_back({&column_of(of, one.field), one.descending});
    by_key = by_key || order.back().column == &of.key();
  }
  // Newest first stays newest first among equals: ids rise with time.
  if (!by_key) order.push_back({&of.key(), !order.empty() && order.back().descending});
  return order;
}

void add_order(sql_builder& sql, const std::vector<order_column>& order) {
  std::string_view word = " order by ";
  for (const auto& by : order) {
    sql.add(word).add(by.column->sql).add(by.descending ? " desc" : " asc");
    // Databases differ on where NULL belongs: here it is the least of all.
    if (is_nullable(by)) sql.add(by.descending ? " nulls last" : " nulls first");
    word = ", ";
  }
}

void add_limit(sql_builder& sql, std::size_t most, std::size_t before) {
  sql.add(" limit ").bind(static_cast<std::int64_t>(most));
  sql.add(" offset ").bind(static_cast<std::int64_t>(before));
}

void add_after(sql_builder& sql, const std::vector<order_column>& order, const std::vector<value>& last) {
  sql.add("(");
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i > 0) sql.add(" or ");
    sql.add("(");
    for (std::size_t before = 0; before < i; ++before) {
      sql.add(order[before].column->sql);
      if (is_null(last[before]))
        sql.add(" is null and ");
      else
        sql.add(" = ").bind(last[before]).add(" and ");
    }
    const auto& name = order[i].column->sql;
    if (is_null(last[i]))
      sql.add(order[i].descending ? "1 = 0" : name + " is not null");
    else if (order[i].descending && is_nullable(order[i]))
      sql.add("(").add(name).add(" < ").bind(last[i]).add(" or ").add(name).add(" is null)");
    else
      sql.add(name).add(order[i].descending ? " < " : " > ").bind(last[i]);
    sql.add(")");
  }
  sql.add(")");
}

}  // namespace corbel::data
