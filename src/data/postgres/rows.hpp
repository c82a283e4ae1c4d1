#pragma once

#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <forward_list>
#include <string>
#include <vector>

#include "base/recycled.hpp"
#include "corbel/data/driver.hpp"
#include "data/postgres/columns.hpp"

namespace corbel::postgres {

/// Rows as the server sent them, read where they are asked for.
class rows final : public data::result_set, public corbel::detail::recycled<rows> {
 public:
  explicit rows(columns_ptr shape) : columns_(std::move(shape)) {}

  std::size_t column_count() const noexcept override { return columns_ ? columns_->size() : 0; }
  std::string_view column_name(std::size_t column) const override { return (*columns_)[column].name; }
  std::size_t row_count() const noexcept override { return row_count_; }
  std::int64_t affected() const noexcept override { return affected_; }
  /// Throws `failure` (internal) for a value in a binary form that is none of ours.
  data::cell at(std::size_t row, std::size_t column) const override;

  void set_columns(columns_ptr shape) { columns_ = std::move(shape); }
  void set_affected(std::int64_t n) { affected_ = n; }
  /// The payload of a DataRow. Throws `protocol_error` when its fields are not those of the columns.
  void add(std::string_view payload);
  std::size_t bytes() const noexcept { return bytes_.size(); }
  const void* shape() const noexcept override { return columns_.get(); }

 private:
  std::string_view row_bytes(std::size_t row) const;
  data::cell read_binary(const column& of, std::string_view bytes) const;

  columns_ptr columns_;
  boost::container::small_vector<char, 64> bytes_;  // each row: its fields, each behind its length
  std::vector<std::uint32_t> starts_;               // of the rows behind the first
  std::size_t row_count_ = 0;
  std::int64_t affected_ = 0;
  // Where the last cell was: columns are asked for in order.
  mutable std::size_t last_row_ = 0;
  mutable std::size_t last_column_ = 0;
  mutable std::size_t last_at_ = 0;
  mutable std::forward_list<std::string> made_;  // texts of cells that did not come as text
};

/// The number of rows that a statement changed, from its command tag ("INSERT 0 5", "UPDATE 3").
std::int64_t affected_rows(std::string_view tag) noexcept;

}  // namespace corbel::postgres
