#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <corbel/base/clock.hpp>
#include <corbel/base/result.hpp>
#include <corbel/base/temporaries.hpp>
#include <corbel/data/codec.hpp>
#include <corbel/data/database.hpp>
#include <corbel/data/entity.hpp>
#include <corbel/data/list_query.hpp>
#include <corbel/data/page.hpp>

namespace corbel::data {

namespace detail {

enum class row_lock : std::uint8_t { none, update, share };

/// The compiled part of a repository: it knows tables, not types. `object` and `objects` point to values that
/// outlive the task. What it changes in them is what the database did.
struct entity_store {
  using rows_ptr = std::unique_ptr<result_set>;

  source where;
  const data::entity* entity;
  const corbel::clock* time;

  task<rows_ptr> find(std::string_view field, value wanted, row_lock held = row_lock::none) const;
  task<std::int64_t> count(std::vector<condition> conditions, std::int64_t at_most) const;
  task<rows_ptr> page(list_query query) const;
  /// One row more than the limit, when there is more.
  task<rows_ptr> stretch(list_query query, void* scratch) const;
  /// From the cells: a column may be finer than the C++ type that it is read into.
  std::string cursor_after(const list_query& query, const result_set& rows, std::size_t row) const;

  task<result<void>> insert(void* object) const;
  task<result<void>> insert_many(std::vector<void*> objects) const;
  /// `fields` null: all that the table does not keep itself.
  task<result<rows_ptr>> update(const void* object, const std::vector<std::string_view>* fields) const;
  /// `fields` empty: the key. What they point to outlives the task.
  task<result<rows_ptr>> upsert(void* object, const std::vector<std::string_view>& fields) const;
  task<result<void>> remove(value key, std::optional<std::int64_t> version) const;
  error not_found() const;
};

}  // namespace detail

/// The rows of one table as values of T, which has a `describe` and a `table` beside it. Cheap to copy.
///
/// `repository<project> projects{db}` works on the database; `projects.in(tx)`, or `repository<project>{tx}`,
/// in a transaction. A broken constraint is an error value (`constraint_of`); in a transaction it dooms the
/// transaction, as any statement that fails. What else goes wrong throws `failure`.
///
/// With g++ 12, rows are passed by name and without std::move: `project made{...}; projects.insert(made)`. It
/// refuses the others (`corbel/base/temporaries.hpp`).
template <class T>
class repository {
 public:
  explicit repository(source where, const clock& time = system_clock())
      : store_{std::move(where), &entity_of<T>(), &time} {}

  repository in(const source& where) const { return repository(where, *store_.time); }

  /// The row with this key, or none.
  template <class K>
  task<std::optional<T>> find(K&& key) const {
    corbel::detail::name_it_first<K>();
    return find_in(store_, store_.entity->table().key(), parameter(key));
  }
  /// The same with "project_not_found" in place of none.
  template <class K>
  task<result<T>> get(K&& key) const {
    corbel::detail::name_it_first<K>();
    return get_in(store_, parameter(key));
  }
  /// The same, and until the transaction ends nobody else changes or removes the row: for what is read,
  /// changed and written back. Two that do so take turns, where `get` would let the second undo the first.
  /// Only in a transaction: `projects.in(tx)`.
  template <class K>
  task<result<T>> get_for_update(K&& key) const {
    corbel::detail::name_it_first<K>();
    return get_in(store_, parameter(key), detail::row_lock::update);
  }
  /// The same for many at once who need the row to stay as it is, and do not change it.
  template <class K>
  task<result<T>> get_for_share(K&& key) const {
    corbel::detail::name_it_first<K>();
    return get_in(store_, parameter(key), detail::row_lock::share);
  }
  /// The row whose field has this value; for fields that are unique.
  template <class V>
  task<std::optional<T>> find_by(std::string_view field, V&& wanted) const {
    corbel::detail::name_it_first<V>();
    return find_in(store_, field, parameter(wanted));
  }
  template <class K>
  task<bool> exists(K&& key) const {
    corbel::detail::name_it_first<K>();
    return exists_in(store_, parameter(key));
  }
  /// How many rows the conditions of `query` leave.
  task<std::int64_t> count(list_query query = list_query()) const {
    return count_in(store_, std::move(query));
  }

  /// One page, with the number of all rows that match. The two are read one after the other, without a lock.
  task<page_of<T>> list(list_query query) const { return list_in(store_, std::move(query)); }
  /// The rows after `query.cursor`, or the first ones. A cursor that is not of this list is `invalid`.
  task<result<cursor_page_of<T>>> scan(list_query query) const { return scan_in(store_, std::move(query)); }

  /// Stores a new row and gives it as it is stored: key, version and timestamps are set here, the rest is
  /// what the database made of it (defaults, triggers, the scale of a column).
  task<result<T>> insert(const T& row) const { return insert_in(store_, row); }
  task<result<T>> insert(T&& row) const {
    corbel::detail::name_it_first<T>();
    return insert_in(store_, std::move(row));
  }
  /// Stores all rows or, after an error, none.
  task<result<std::vector<T>>> insert_many(std::vector<T> rows) const {
    return insert_many_in(store_, std::move(rows));
  }
  /// Stores a new row or, where one has the same values in `fields`, changes that one: it keeps its key, its
  /// creation time and these fields, takes all else from `row`, and its version counts up without being
  /// compared. `upsert(row, "email")`; without fields, the key tells. The fields are those of one unique
  /// constraint or index. A row that was removed softly is not brought back: that is a conflict,
  /// "project_removed", where the index covers removed rows too; where it covers the others alone, a new row
  /// is stored. Gives the stored row.
  template <std::convertible_to<std::string_view>... Names>
  task<result<T>> upsert(const T& row, const Names&... fields) const {
    return upsert_in(store_, row, std::vector<std::string_view>{fields...});
  }
  template <std::convertible_to<std::string_view>... Names>
  task<result<T>> upsert(T&& row, const Names&... fields) const {
    corbel::detail::name_it_first<T>();
    return upsert_in(store_, std::move(row), std::vector<std::string_view>{fields...});
  }
  /// Replaces the row that has this key, and this version if the table counts them. Gives the stored row.
  task<result<T>> update(const T& row) const { return update_in(store_, row, std::nullopt); }
  task<result<T>> update(T&& row) const {
    corbel::detail::name_it_first<T>();
    return update_in(store_, std::move(row), std::nullopt);
  }
  /// The same for some fields, by wire name: `patch(row, "name", "status")`.
  template <std::convertible_to<std::string_view>... Names>
  task<result<T>> patch(const T& row, const Names&... fields) const {
    return update_in(store_, row, std::vector<std::string_view>{fields...});
  }
  template <std::convertible_to<std::string_view>... Names>
  task<result<T>> patch(T&& row, const Names&... fields) const {
    corbel::detail::name_it_first<T>();
    return update_in(store_, std::move(row), std::vector<std::string_view>{fields...});
  }
  /// `fields` point to text that outlives the task. (GCC 12 cannot compile `{...}` inside a `co_await`.)
  task<result<T>> patch(const T& row, std::vector<std::string_view> fields) const {
    return update_in(store_, row, std::move(fields));
  }
  task<result<T>> patch(T&& row, std::vector<std::string_view> fields) const {
    corbel::detail::name_it_first<T>();
    return update_in(store_, std::move(row), std::move(fields));
  }
  /// Removes the row, or marks it removed when the table has a soft-delete field.
  template <class K>
  task<result<void>> remove(K&& key) const {
    corbel::detail::name_it_first<K>();
    return remove_in(store_, parameter(key), std::nullopt);
  }
  /// The same if nobody changed the row since it had this version.
  template <class K>
  task<result<void>> remove(K&& key, std::int64_t version) const {
    corbel::detail::name_it_first<K>();
    return remove_in(store_, parameter(key), version);
  }

 private:
  // Coroutines take everything by value: the repository may be a temporary.

  using store = detail::entity_store;

  static task<std::optional<T>> find_in(store s, std::string_view field, value wanted) {
    const auto rows = co_await s.find(field, std::move(wanted));
    co_return one_as<T>(*rows);
  }
  static task<result<T>> get_in(store s, value key, detail::row_lock held = detail::row_lock::none) {
    const auto rows = co_await s.find(s.entity->table().key(), std::move(key), held);
    auto found = one_as<T>(*rows);
    if (!found) co_return s.not_found();
    co_return std::move(*found);
  }
  static task<bool> exists_in(store s, value key) {
    std::vector<condition> conditions(1);
    conditions[0].field = s.entity->table().key();
    conditions[0].operand = std::move(key);
    const auto found = co_await s.count(std::move(conditions), 1);
    co_return found > 0;
  }
  static task<std::int64_t> count_in(store s, list_query query) {
    co_return co_await s.count(std::move(query.conditions), 0);
  }
  static task<page_of<T>> list_in(store s, list_query query) {
    page_of<T> page;
    const auto rows = co_await s.page(query);
    page.data = rows_as<T>(*rows);
    page.meta.page = static_cast<std::int64_t>(query.page);
    page.meta.limit = static_cast<std::int64_t>(query.limit);
    const auto here = static_cast<std::int64_t>(page.data.size());
    const auto before = (page.meta.page - 1) * page.meta.limit;
    // A page that is not full, and not past the end, is the last: the total follows from it.
    if (here < page.meta.limit && (here > 0 || page.meta.page == 1))
      page.meta.total = before + here;
    else
      page.meta.total = co_await s.count(std::move(query.conditions), 0);
    page.meta.total_pages = (page.meta.total + page.meta.limit - 1) / page.meta.limit;
    co_return page;
  }
  static task<result<cursor_page_of<T>>> scan_in(store s, list_query query) {
    T scratch = T();
    std::optional<error> refused;
    cursor_page_of<T> page;
    page.meta.limit = static_cast<std::int64_t>(query.limit);
    typename store::rows_ptr rows;
    try {
      rows = co_await s.stretch(query, &scratch);
      page.data = rows_as<T>(*rows);
    } catch (const failure& f) {
      if (f.error().kind() != error_kind::invalid) throw;
      refused = f.error();
    }
    if (refused) co_return std::move(*refused);
    if (page.data.size() > query.limit) {
      page.data.pop_back();
      page.meta.next_cursor = s.cursor_after(query, *rows, page.data.size() - 1);
    }
    co_return page;
  }
  static task<result<T>> insert_in(store s, T row) {
    auto done = co_await s.insert(&row);
    if (!done) co_return std::move(done).error();
    co_return row;
  }
  static task<result<std::vector<T>>> insert_many_in(store s, std::vector<T> rows) {
    std::vector<void*> objects;
    objects.reserve(rows.size());
    for (auto& row : rows) objects.push_back(&row);
    auto done = co_await s.insert_many(std::move(objects));
    if (!done) co_return std::move(done).error();
    co_return rows;
  }
  static task<result<T>> update_in(store s, T row, std::optional<std::vector<std::string_view>> fields) {
    auto stored = co_await s.update(&row, fields ? &*fields : nullptr);
    if (!stored) co_return std::move(stored).error();
    auto read = one_as<T>(**stored);
    if (!read) co_return s.not_found();
    co_return std::move(*read);
  }
  static task<result<T>> upsert_in(store s, T row, std::vector<std::string_view> fields) {
    auto stored = co_await s.upsert(&row, fields);
    if (!stored) co_return std::move(stored).error();
    auto read = one_as<T>(**stored);
    if (!read) co_return s.not_found();
    co_return std::move(*read);
  }
  static task<result<void>> remove_in(store s, value key, std::optional<std::int64_t> version) {
    co_return co_await s.remove(std::move(key), version);
  }

  store store_;
};

}  // namespace corbel::data
