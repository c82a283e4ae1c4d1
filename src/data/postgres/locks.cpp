#include "corbel/data/postgres/queries.hpp"
#include "data/postgres/names.hpp"
#include "data/sql_builder.hpp"

namespace corbel::postgres::detail {
namespace {

std::string_view words_for(locked_rows held) {
  switch (held) {
    case locked_rows::no_wait: return " for update nowait";
    case locked_rows::skip: return " for update skip locked";
    default: return " for update";
  }
}

}  // namespace

task<rows_ptr> lock_rows(data::transaction* tx, const data::entity* of, data::list_query which,
                         locked_rows held, bool limited) {
  require_postgres(tx->language().name, "Locking single rows");
  data::sql_builder sql(tx->language(), "select " + of->sql_columns() + " from " + of->sql_name());
  data::add_where(sql, *of, which.conditions);
  if (limited) {
    data::add_order(sql, data::order_of(tx->language(), *of, which.sort));
    data::add_limit(sql, which.limit, 0);
  }
  sql.add(words_for(held));
  return tx->runner()->run(std::move(sql).take());
}

error not_found_in(const data::entity& of) {
  const std::string name(of.table().singular());
  return not_found("There is no " + name + " with this id.", name + "_not_found");
}

}  // namespace corbel::postgres::detail
