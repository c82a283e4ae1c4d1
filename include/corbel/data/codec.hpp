#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <corbel/base/describe/type_of.hpp>
#include <corbel/data/driver.hpp>
#include <corbel/data/value.hpp>

namespace corbel::data {

/// The SQL value of a C++ value. Booleans travel as 0 and 1; times, dates, UUIDs, enumerations and custom
/// scalars as their text; bytes as a blob; lists, maps, objects and json as JSON text. Throws `failure` for
/// what no column can hold: malformed for an unsigned number above 2^63-1, internal for an enumerator without
/// a name.
value encode(const type_descriptor& type, const void* from);

/// The opposite. Takes also what Postgres writes as text: timestamps with a blank and any offset, numerics
/// that are finite and, for an integer, whole, and arrays, bounds and nested lists included: {1,2,NULL}.
/// Throws `failure` (internal) that names `column` when the cell does not hold the type.
void decode(const cell& from, const type_descriptor& type, void* to, std::string_view column);

/// Appends every row to the list at `list`, whose type is `list_type`. Rows of a described class map by
/// column name, the snake_case of the wire name; every field needs its column, further columns are ignored.
/// Rows of anything else take the only column.
void decode_rows(const result_set& rows, const type_descriptor& list_type, void* list);

/// The first row into `to`; false when there is none. More than one is an internal error: a `limit 1` is
/// missing, or a condition.
bool decode_one(const result_set& rows, const type_descriptor& type, void* to);

/// `decode_one` for many results that are all there until the last is read: the columns of one serve the next
/// where the driver knows that they are the same.
class one_decoder {
 public:
  explicit one_decoder(const type_descriptor& type);
  ~one_decoder();
  one_decoder(const one_decoder&) = delete;
  one_decoder& operator=(const one_decoder&) = delete;

  bool decode(const result_set& rows, void* to);

 private:
  struct known_columns;
  const type_descriptor& type_;
  std::unique_ptr<known_columns> known_;
};

/// Anything that can stand behind a placeholder.
template <class T>
value parameter(const T& from) {
  if constexpr (std::is_same_v<T, value>)
    return from;
  else if constexpr (std::is_same_v<T, std::nullopt_t> || std::is_same_v<T, std::nullptr_t>)
    return {};
  else if constexpr (std::is_same_v<T, blob>)
    return from;
  else if constexpr (std::is_convertible_v<const T&, std::string_view>)
    return std::string(std::string_view(from));
  else
    return encode(type_of<T>(), &from);
}

template <class T>
std::vector<T> rows_as(const result_set& rows) {
  std::vector<T> all;
  if constexpr (std::is_same_v<T, value>) {
    for (std::size_t row = 0; row < rows.row_count(); ++row) all.push_back(to_value(rows.at(row, 0)));
  } else {
    decode_rows(rows, type_of<std::vector<T>>(), &all);
  }
  return all;
}

template <class T>
std::optional<T> one_as(const result_set& rows) {
  if constexpr (std::is_same_v<T, value>) {
    if (rows.row_count() == 0) return {};
    return to_value(rows.at(0, 0));
  } else {
    T one = T();
    if (!decode_one(rows, type_of<T>(), &one)) return {};
    return one;
  }
}

/// The rows of an outcome; throws `failure` when it is an error.
const result_set& rows_of(const statement_outcome& from);

/// `one_as` for each outcome; throws the first failure among them.
template <class T>
std::vector<std::optional<T>> each_one_as(const std::vector<statement_outcome>& outcomes) {
  std::vector<std::optional<T>> each;
  each.reserve(outcomes.size());
  if constexpr (std::is_same_v<T, value>) {
    for (const auto& outcome : outcomes) each.push_back(one_as<T>(rows_of(outcome)));
  } else {
    one_decoder decoder(type_of<T>());
    for (const auto& outcome : outcomes) {
      auto& one = each.emplace_back(std::in_place);
      if (!decoder.decode(rows_of(outcome), &*one)) one.reset();
    }
  }
  return each;
}

}  // namespace corbel::data
