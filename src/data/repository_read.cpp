#include <stdexcept>

#include "corbel/data/repository.hpp"
#include "data/cursor.hpp"
#include "data/sql_builder.hpp"
#include "data/transaction_state.hpp"

namespace corbel::data::detail {
namespace {

sql_builder select_from(const source& where, const entity& of) {
  return {where.language(), "select " + of.sql_columns() + " from " + of.sql_name()};
}

/// A page without room would go on for ever.
void require_room(const list_query& query) {
  if (query.limit == 0 || query.page == 0)
    throw std::logic_error("corbel: a list_query has a limit and a page from 1 on");
}

/// The list a cursor belongs to: its table and its order.
std::string list_name(const entity& of, const std::vector<order_column>& order) {
  std::string name(of.table().name());
  for (const auto& by : order) name.append(by.descending ? ">" : "<").append(by.column->field->name);
  return name;
}

error bad_cursor() {
  return invalid(
      {{"query", "/cursor", "cursor", "is not a cursor of this list; take it from meta.nextCursor"}});
}

/// A value someone made up must fit its column, or the database would be the one to find out.
bool fits_columns(const std::vector<order_column>& order, const std::vector<value>& place, void* scratch) {
  struct {
    cell operator()(std::monostate) const { return {}; }
    cell operator()(std::int64_t n) const { return n; }
    cell operator()(double d) const { return d; }
    cell operator()(const std::string& text) const { return std::string_view(text); }
    cell operator()(const blob& bytes) const { return std::span<const std::byte>(bytes); }
  } const as_cell;
  try {
    for (std::size_t i = 0; i < order.size(); ++i) {
      const auto& field = *order[i].column->field;
      decode(std::visit(as_cell, place[i]), *field.type, field.member(scratch), field.name);
    }
    return true;
  } catch (const failure&) {
    return false;
  }
}

}  // namespace

task<entity_store::rows_ptr> entity_store::find(std::string_view field, value wanted, row_lock held) const {
  if (held != row_lock::none && !std::dynamic_pointer_cast<transaction_state>(where.runner()))
    throw failure(internal_error(
        "a row stays locked until its transaction ends, and there is none: use repository.in(tx)"));
  auto sql = select_from(where, *entity);
  std::vector<condition> conditions(1);
  conditions[0].field = field;
  conditions[0].operand = std::move(wanted);
  add_where(sql, *entity, conditions);
  if (held == row_lock::update) sql.add(where.language().for_update);
  if (held == row_lock::share) sql.add(where.language().for_share);
  return where.runner()->run(std::move(sql).take());
}

task<std::int64_t> entity_store::count(std::vector<condition> conditions, std::int64_t at_most) const {
  sql_builder sql(where.language(),
                  at_most > 0 ? "select count(*) from (select 1 from " : "select count(*) from ");
  sql.add(entity->sql_name());
  add_where(sql, *entity, conditions);
  if (at_most > 0) sql.add(" limit ").bind(at_most).add(") as some_rows");
  const auto rows = co_await where.runner()->run(std::move(sql).take());
  co_return one_as<std::int64_t>(*rows).value_or(0);
}

task<entity_store::rows_ptr> entity_store::page(list_query query) const {
  require_room(query);
  auto sql = select_from(where, *entity);
  add_where(sql, *entity, query.conditions);
  add_order(sql, order_of(where.language(), *entity, query.sort));
  add_limit(sql, query.limit, (query.page - 1) * query.limit);
  return where.runner()->run(std::move(sql).take());
}

task<entity_store::rows_ptr> entity_store::stretch(list_query query, void* scratch) const {
  require_room(query);
  const auto order = order_of(where.language(), *entity, query.sort);
  auto sql = select_from(where, *entity);
  add_where(sql, *entity, query.conditions);
  if (query.cursor && !query.cursor->empty()) {
    const auto place = read_cursor(list_name(*entity, order), *query.cursor, order.size());
    if (!place || !fits_columns(order, *place, scratch)) throw failure(bad_cursor());
    sql.add(query.conditions.empty() && !entity->deleted() ? " where " : " and ");
    add_after(sql, order, *place);
  }
  add_order(sql, order);
  sql.add(" limit ").bind(static_cast<std::int64_t>(query.limit + 1));
  return where.runner()->run(std::move(sql).take());
}

std::string entity_store::cursor_after(const list_query& query, const result_set& rows,
                                       std::size_t row) const {
  const auto order = order_of(where.language(), *entity, query.sort);
  std::vector<value> place;
  for (const auto& by : order)
    place.push_back(to_value(rows.at(row, static_cast<std::size_t>(by.column - entity->columns().data()))));
  return make_cursor(list_name(*entity, order), place);
}

error entity_store::not_found() const {
  const std::string name(entity->table().singular());
  return corbel::not_found("There is no " + name + " with this id.", name + "_not_found");
}

}  // namespace corbel::data::detail
