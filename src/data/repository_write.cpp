#include <algorithm>
#include <stdexcept>

#include "corbel/data/repository.hpp"
#include "data/repository_row.hpp"
#include "data/sql_builder.hpp"

namespace corbel::data::detail {

using column = entity::column;
using rows_ptr = entity_store::rows_ptr;

value encoded(const column& c, const void* object) {
  return encode(*c.field->type, c.field->member_of(object));
}

bool is_nil(const column& key, const void* object) {
  const auto& type = *key.field->type;
  const void* member = key.field->member_of(object);
  if (type.kind == type_kind::uuid) return *static_cast<const uuid*>(member) == uuid{};
  return type.kind == type_kind::integer && load_integer(type, member) == 0;
}

void prepare_new(const entity& of, void* object, timestamp now) {
  const auto& key = *of.key().field;
  if (key.type->kind == type_kind::uuid && is_nil(of.key(), object))
    *static_cast<uuid*>(key.member(object)) = uuid::v7(now);
  if (of.version()) store_integer(*of.version()->field->type, of.version()->field->member(object), 1);
  for (const auto* stamp : {of.created(), of.updated()})
    if (stamp) *static_cast<timestamp*>(stamp->field->member(object)) = now;
  if (of.deleted()) of.deleted()->field->type->optional->reset(of.deleted()->field->member(object));
}

task<result<rows_ptr>> run_expecting(source where, statement what) {
  std::optional<error> refused;
  rows_ptr rows;
  try {
    rows = co_await where.runner()->run(std::move(what));
  } catch (const failure& f) {
    if (f.error().kind() != error_kind::conflict && f.error().kind() != error_kind::unprocessable) throw;
    refused = f.error();
  }
  if (refused) co_return std::move(*refused);
  co_return std::move(rows);
}

namespace {

/// `with_key` false leaves the key to the database.
statement insert_statement(const dialect& language, const entity& of, std::span<void* const> objects,
                           bool with_key) {
  sql_builder sql(language, "insert into " + of.sql_name() + " (");
  std::string_view separator;
  for (const auto& c : of.columns()) {
    if (c.generated || (&c == &of.key() && !with_key)) continue;
    sql.add(separator).add(c.sql);
    separator = ", ";
  }
  sql.add(") values ");
  std::string_view between_rows = "(";
  for (const void* object : objects) {
    sql.add(between_rows);
    between_rows = ", (";
    separator = {};
    for (const auto& c : of.columns()) {
      if (c.generated || (&c == &of.key() && !with_key)) continue;
      sql.add(separator).bind(encoded(c, object));
      separator = ", ";
    }
    sql.add(")");
  }
  sql.add(" returning ").add(of.sql_columns());
  return std::move(sql).take();
}

/// One statement for rows that all have, or all lack, their key.
task<result<void>> insert_rows(source where, const entity& of, std::vector<void*> objects) {
  const bool with_key = !is_nil(of.key(), objects.front());
  auto done = co_await run_expecting(where, insert_statement(where.language(), of, objects, with_key));
  if (!done) co_return std::move(done).error();
  const auto& rows = **done;
  if (rows.row_count() != objects.size())
    throw failure(internal_error("of " + std::to_string(objects.size()) + " rows for " + of.sql_name() + " " +
                                 std::to_string(rows.row_count()) +
                                 " were stored: a trigger or a rule takes the others away"));
  for (std::size_t row = 0; row < objects.size(); ++row)
    for (std::size_t i = 0; i < of.columns().size(); ++i) {
      const auto& field = *of.columns()[i].field;
      decode(rows.at(row, i), *field.type, field.member(objects[row]), field.name);
    }
  co_return result<void>();
}

error version_mismatch() {
  return conflict("This was changed by someone else meanwhile. Read it again and repeat the change.",
                  "version_mismatch");
}

/// " where key = ... and version = ..." among the rows that are not removed.
void add_where_row(sql_builder& sql, const entity& of, value key, std::optional<value> version) {
  std::vector<condition> conditions;
  conditions.push_back({std::string(of.key().field->name), comparison::equal, std::move(key)});
  if (version)
    conditions.push_back({std::string(of.version()->field->name), comparison::equal, std::move(*version)});
  add_where(sql, of, conditions);
}

/// Why no row was changed.
task<error> explain(entity_store store, value key) {
  if (!store.entity->version()) co_return store.not_found();
  const auto rows = co_await store.find(store.entity->key().field->name, std::move(key));
  if (rows->row_count() == 0) co_return store.not_found();
  co_return version_mismatch();
}

}  // namespace

task<result<void>> entity_store::insert(void* object) const {
  prepare_new(*entity, object, time->now());
  return insert_rows(where, *entity, {object});
}

task<result<void>> entity_store::insert_many(std::vector<void*> objects) const {
  if (objects.empty()) co_return result<void>();
  const auto now = time->now();
  for (void* object : objects) prepare_new(*entity, object, now);
  // Longer statements gain nothing, and SQLite looks every named placeholder up in a list.
  const std::size_t most = std::min<std::size_t>(where.language().most_parameters, 1000);
  const std::size_t at_once = std::max<std::size_t>(most / entity->columns().size(), 1);
  auto tx = co_await where.begin();
  for (std::size_t from = 0; from < objects.size();) {
    std::vector<void*> some;
    while (from < objects.size() && some.size() < at_once &&
           (some.empty() || is_nil(entity->key(), objects[from]) == is_nil(entity->key(), some.front())))
      some.push_back(objects[from++]);
    auto done = co_await insert_rows(tx, *entity, std::move(some));
    if (!done) co_return std::move(done).error();
  }
  co_await tx.commit();
  co_return result<void>();
}

task<result<rows_ptr>> entity_store::update(const void* object,
                                            const std::vector<std::string_view>* fields) const {
  const auto& of = *entity;
  sql_builder sql(where.language(), "update " + of.sql_name() + " set ");
  std::string_view separator;
  if (fields)
    for (const auto field : *fields) (void)column_of(of, field);
  for (const auto& c : of.columns()) {
    const bool kept =
        c.generated || &c == &of.key() || &c == of.version() || &c == of.created() || &c == of.deleted();
    const bool named = !fields || std::find(fields->begin(), fields->end(), c.field->name) != fields->end();
    if (&c == of.updated())
      sql.add(separator).add(c.sql).add(" = ").bind(encode(*c.field->type, std::array{time->now()}.data()));
    else if (!kept && named)
      sql.add(separator).add(c.sql).add(" = ").bind(encoded(c, object));
    else
      continue;
    separator = ", ";
  }
  if (of.version()) {
    sql.add(separator).add(of.version()->sql).add(" = ").add(of.version()->sql).add(" + 1");
    separator = ", ";
  }
  // Nothing to set still asks whether the row is there.
  if (separator.empty()) sql.add(of.key().sql).add(" = ").add(of.key().sql);
  value key = encoded(of.key(), object);
  std::optional<value> version;
  if (of.version()) version = encoded(*of.version(), object);
  add_where_row(sql, of, key, std::move(version));
  sql.add(" returning ").add(of.sql_columns());

  const auto store = *this;
  auto done = co_await run_expecting(store.where, std::move(sql).take());
  if (!done) co_return std::move(done).error();
  if ((*done)->row_count() == 0) co_return co_await explain(store, std::move(key));
  co_return std::move(done);
}

task<result<void>> entity_store::remove(value key, std::optional<std::int64_t> version) const {
  const auto& of = *entity;
  if (version && !of.version())
    throw std::logic_error(
        "corbel: the table " + of.sql_name() +
        " counts no versions, so none can be compared: give table(...) a version, or leave it out");
  sql_builder sql(where.language(), (of.deleted() ? "update " : "delete from ") + of.sql_name());
  if (of.deleted()) {
    const value now = encode(type_of<timestamp>(), std::array{time->now()}.data());
    sql.add(" set ").add(of.deleted()->sql).add(" = ").bind(now);
    if (of.updated()) sql.add(", ").add(of.updated()->sql).add(" = ").bind(now);
    if (of.version()) sql.add(", ").add(of.version()->sql).add(" = ").add(of.version()->sql).add(" + 1");
  }
  std::optional<value> expected;
  if (version) expected = *version;
  add_where_row(sql, of, key, std::move(expected));

  const auto store = *this;
  auto done = co_await run_expecting(store.where, std::move(sql).take());
  if (!done) co_return std::move(done).error();
  if ((*done)->affected() > 0) co_return result<void>();
  if (!version) co_return store.not_found();
  co_return co_await explain(store, std::move(key));
}

}  // namespace corbel::data::detail
