#include "data/row_map.hpp"

#include <algorithm>

#include "corbel/base/error.hpp"
#include "data/names.hpp"

namespace corbel::data {

row_map map_row(const result_set& rows, const object_descriptor& object) {
  short_array<std::string_view, 48> columns(rows.column_count());
  for (std::size_t i = 0; i < rows.column_count(); ++i) columns[i] = rows.column_name(i);
  row_map map(object.field_count);
  std::string missing;
  for (std::size_t i = 0; i < object.field_count; ++i) {
    const auto& field = object.fields[i];
    const auto* found = std::find_if(columns.begin(), columns.end(), [&field](std::string_view column) {
      return matches_snake_case(field.name, column);
    });
    if (found != columns.end())
      map[i] = {&field, static_cast<std::size_t>(found - columns.begin()), *found};
    else
      missing.append(missing.empty() ? "\"" : ", \"").append(snake_case(field.name)) += '"';
  }
  if (!missing.empty())
    throw failure(internal_error("the rows lack the column(s) " + missing +
                                 " that the described type needs: select them, or describe a smaller type"));
  return map;
}

}  // namespace corbel::data
