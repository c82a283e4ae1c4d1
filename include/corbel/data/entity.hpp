#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <corbel/data/table.hpp>

namespace corbel::data {

/// A described type and its table, ready for making SQL. Made once for each type, immutable, shared.
class entity {
 public:
  struct column {
    const field_descriptor* field;
    std::string sql;         ///< the quoted name
    bool generated = false;  ///< the database computes it: read, and never written
  };

  /// Throws std::logic_error when a field that the table names has no fitting type.
  entity(const type_descriptor& type, const data::table& table);

  const type_descriptor& type() const noexcept { return *type_; }
  const data::table& table() const noexcept { return table_; }
  const std::vector<column>& columns() const noexcept { return columns_; }
  /// Null when the type has no such field.
  const column* find(std::string_view field) const noexcept;

  const column& key() const noexcept { return *key_; }
  /// Null when the table has none of its kind.
  const column* version() const noexcept { return version_; }
  const column* deleted() const noexcept { return deleted_; }
  const column* created() const noexcept { return created_; }
  const column* updated() const noexcept { return updated_; }

  const std::string& sql_name() const noexcept { return sql_name_; }
  /// All columns, separated by commas.
  const std::string& sql_columns() const noexcept { return sql_columns_; }

 private:
  const type_descriptor* type_;
  data::table table_;
  std::vector<column> columns_;
  const column* key_;
  const column* version_;
  const column* deleted_;
  const column* created_;
  const column* updated_;
  std::string sql_name_;
  std::string sql_columns_;
};

template <class T>
const entity& entity_of() {
  if constexpr (corbel::detail::check_table<T>()) {
    static const entity made(type_of<T>(), corbel::detail::find_table<T>());
    return made;
  }
}

}  // namespace corbel::data
