#include "data/sql_builder.hpp"

#include <algorithm>
#include <stdexcept>

#include "corbel/base/json/writer.hpp"
#include "data/decimal_type.hpp"
#include "data/member_path.hpp"

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

std::string sql_of(const dialect& language, const entity::column& column) {
  auto sql = column.sql;
  if (is_decimal(column.field->type->bare())) sql += language.decimal_column;
  return sql;
}

/// What a condition compares with.
struct compared {
  std::string sql;
  const type_descriptor* leaf;
  bool nullable;
  bool is_member;
};

compared find_compared(const dialect& language, const entity& of, std::string_view name) {
  std::string why;
  const auto found = find_member(of.type(), name, why);
  if (!found)
    throw std::logic_error("corbel: a condition on table \"" + std::string(of.table().name()) +
                           "\" names \"" + std::string(name) + "\", which " + why);
  const auto& column = column_of(of, found->field->name);
  if (found->keys.empty())
    return {sql_of(language, column), found->leaf, found->leaf->kind == type_kind::optional, false};
  return {language.member(column.sql, found->keys, found->leaf->bare()), found->leaf, true, true};
}

std::logic_error misfit(const condition& c, const char* expected) {
  return std::logic_error("corbel: the condition on \"" + c.field + "\" needs " + expected);
}

/// Free-form JSON is compared as text.
value operand_for(const compared& with, const value& operand) {
  if (with.leaf->bare().kind != type_kind::json || !with.is_member) return operand;
  if (const auto* whole = std::get_if<std::int64_t>(&operand)) return std::to_string(*whole);
  if (const auto* number = std::get_if<double>(&operand)) {
    std::string text;
    json::append_number(text, *number);
    return text;
  }
  return operand;
}

void add_condition(sql_builder& sql, const entity& of, const condition& c) {
  const auto& language = sql.language();
  const auto with = find_compared(language, of, c.field);
  if (c.how == comparison::has) {
    const auto& list = with.leaf->bare();
    if (list.kind != type_kind::list || with.is_member || is_null(c.operand))
      throw misfit(c, "a field that is a list, and an element to look for");
    sql.add(language.has(with.sql, sql.next(language.element(list.element->bare(), c.operand))));
    return;
  }
  if (is_null(c.operand)) {
    // A comparison with NULL, other than for equality, holds for no row.
    sql.add(with.sql).add(c.how == comparison::equal       ? " is null"
                          : c.how == comparison::not_equal ? " is not null"
                                                           : " = null");
    return;
  }
  if (c.how == comparison::contains) {
    const auto* text = std::get_if<std::string>(&c.operand);
    if (!text) throw misfit(c, "a text to look for: it asks whether a text contains another");
    sql.add("lower(").add(with.sql).add(") like lower(").bind(like_pattern(*text)).add(") escape '\\'");
    return;
  }
  const bool also_null = c.how == comparison::not_equal && with.nullable;
  if (also_null) sql.add("(").add(with.sql).add(" is null or ");
  sql.add(with.sql).add(operator_of(c.how)).bind(operand_for(with, c.operand));
  // A number beyond the column's range is larger than all it holds, and no mistake.
  if (with.leaf->bare().kind == type_kind::integer && !with.is_member) sql.add(language.integer_operand);
  if (also_null) sql.add(")");
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
    add_condition(sql, of, one);
    word = " and ";
  }
}

std::vector<order_column> order_of(const dialect& language, const entity& of,
                                   const std::vector<sort_key>& sort) {
  std::vector<order_column> order;
  const auto add = [&](const entity::column& by, bool descending) {
    order.push_back({&by, descending, sql_of(language, by)});
  };
  bool by_key = false;
  for (const auto& one : sort) {
    add(column_of(of, one.field), one.descending);
    by_key = by_key || order.back().column == &of.key();
  }
  // Newest first stays newest first among equals: ids rise with time.
  if (!by_key) add(of.key(), !order.empty() && order.back().descending);
  return order;
}

void add_order(sql_builder& sql, const std::vector<order_column>& order) {
  std::string_view word = " order by ";
  for (const auto& by : order) {
    sql.add(word).add(by.sql).add(by.descending ? " desc" : " asc");
    // Databases differ on where NULL belongs: here it is the least of all.
    if (by.is_nullable()) sql.add(by.descending ? " nulls last" : " nulls first");
    word = ", ";
  }
}

void add_limit(sql_builder& sql, std::size_t most, std::size_t before) {
  sql.add(" limit ").bind(static_cast<std::int64_t>(most));
  sql.add(" offset ").bind(static_cast<std::int64_t>(before));
}

namespace {

/// (a, b) > ($1, $2), which an index on (a, b) serves.
void add_row_comparison(sql_builder& sql, const std::vector<order_column>& order,
                        const std::vector<value>& last) {
  std::string_view separator = "(";
  for (const auto& by : order) {
    sql.add(separator).add(by.sql);
    separator = ", ";
  }
  sql.add(order[0].descending ? ") < " : ") > ");
  separator = "(";
  for (const auto& one : last) {
    sql.add(separator).bind(one);
    separator = ", ";
  }
  sql.add(")");
}

}  // namespace

void add_after(sql_builder& sql, const std::vector<order_column>& order, const std::vector<value>& last) {
  if (std::all_of(order.begin(), order.end(), [&](const order_column& by) {
        return !by.is_nullable() && by.descending == order[0].descending;
      }))
    return add_row_comparison(sql, order, last);
  sql.add("(");
  // What follows says the same, but in a form that no index serves.
  if (!order[0].is_nullable())
    sql.add(order[0].sql).add(order[0].descending ? " <= " : " >= ").bind(last[0]).add(" and (");
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i > 0) sql.add(" or ");
    sql.add("(");
    for (std::size_t before = 0; before < i; ++before) {
      sql.add(order[before].sql);
      if (is_null(last[before]))
        sql.add(" is null and ");
      else
        sql.add(" = ").bind(last[before]).add(" and ");
    }
    const auto& name = order[i].sql;
    if (is_null(last[i]))
      sql.add(order[i].descending ? "1 = 0" : name + " is not null");
    else if (order[i].descending && order[i].is_nullable())
      sql.add("(").add(name).add(" < ").bind(last[i]).add(" or ").add(name).add(" is null)");
    else
      sql.add(name).add(order[i].descending ? " < " : " > ").bind(last[i]);
    sql.add(")");
  }
  sql.add(order[0].is_nullable() ? ")" : "))");
}

}  // namespace corbel::data
