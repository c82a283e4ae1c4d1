#include <algorithm>

#include "corbel/data/repository.hpp"
#include "data/repository_row.hpp"
#include "data/sql_builder.hpp"

namespace corbel::data::detail {
namespace {

error removed_before(const entity& of) {
  const std::string name(of.table().singular());
  return conflict("A removed " + name + " has these values still. Restore it, or take others.",
                  name + "_removed");
}

/// What an existing row keeps: who it is, when it was made, that it is not removed.
bool keeps(const entity& of, const entity::column& c, const std::vector<const entity::column*>& unique) {
  return c.generated || &c == &of.key() || &c == of.created() || &c == of.deleted() || &c == of.version() ||
         std::find(unique.begin(), unique.end(), &c) != unique.end();
}

}  // namespace

task<result<entity_store::rows_ptr>> entity_store::upsert(void* object,
                                                          const std::vector<std::string_view>& fields) const {
  const auto& of = *entity;
  std::vector<const data::entity::column*> unique;
  for (const auto field : fields) unique.push_back(&column_of(of, field));
  if (unique.empty()) unique.push_back(&of.key());
  const bool with_key = !is_nil(of.key(), object) || of.key().field->type->kind == type_kind::uuid;
  prepare_new(of, object, time->now());

  sql_builder sql(where.language(), "insert into " + of.sql_name() + " (");
  std::string_view separator;
  for (const auto& c : of.columns()) {
    if (c.generated || (&c == &of.key() && !with_key)) continue;
    sql.add(separator).add(c.sql);
    separator = ", ";
  }
  sql.add(") values (");
  separator = {};
  for (const auto& c : of.columns()) {
    if (c.generated || (&c == &of.key() && !with_key)) continue;
    sql.add(separator).bind(encoded(c, object));
    separator = ", ";
  }
  sql.add(") on conflict (");
  separator = {};
  for (const auto* c : unique) {
    sql.add(separator).add(c->sql);
    separator = ", ";
  }
  // Finds an index over the rows that are not removed as well as one over all.
  sql.add(")");
  if (of.deleted()) sql.add(" where ").add(of.deleted()->sql).add(" is null");
  sql.add(" do update set ");
  separator = {};
  for (const auto& c : of.columns()) {
    if (keeps(of, c, unique)) continue;
    sql.add(separator).add(c.sql).add(" = excluded.").add(c.sql);
    separator = ", ";
  }
  if (of.version()) {
    const auto& name = of.version()->sql;
    sql.add(separator).add(name).add(" = ").add(of.sql_name()).add(".").add(name).add(" + 1");
    separator = ", ";
  }
  // Nothing to set still gives the row.
  if (separator.empty()) sql.add(unique[0]->sql).add(" = excluded.").add(unique[0]->sql);
  if (of.deleted()) sql.add(" where ").add(of.sql_name()).add(".").add(of.deleted()->sql).add(" is null");
  sql.add(" returning ").add(of.sql_columns());

  const auto* kind = entity;
  auto done = co_await run_expecting(where, std::move(sql).take());
  if (done && (*done)->row_count() == 0) co_return removed_before(*kind);
  co_return std::move(done);
}

}  // namespace corbel::data::detail
