#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include "corbel/base/describe/type.hpp"
#include "corbel/data/driver.hpp"

namespace corbel::data {

/// Room for `size` values: within itself for the usual few, else on the heap.
template <class T, std::size_t Few>
class short_array {
 public:
  explicit short_array(std::size_t size) : many_(size > Few ? size : 0), size_(size) {}

  T& operator[](std::size_t i) { return begin()[i]; }
  T* begin() { return many_.empty() ? few_.data() : many_.data(); }
  T* end() { return begin() + size_; }
  const T* begin() const { return many_.empty() ? few_.data() : many_.data(); }
  const T* end() const { return begin() + size_; }

 private:
  std::array<T, Few> few_;
  std::vector<T> many_;
  std::size_t size_;
};

struct mapped_field {
  const field_descriptor* field = nullptr;
  std::size_t column = 0;
  std::string_view column_name;  ///< of the result set
};

using row_map = short_array<mapped_field, 24>;

/// Which column each field of a described class is read from: the first that has its name in snake_case.
/// Throws `failure` (internal) that names every column that is missing. Holds as long as the result set.
row_map map_row(const result_set& rows, const object_descriptor& object);

}  // namespace corbel::data
