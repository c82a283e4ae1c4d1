#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "corbel/data/value.hpp"

namespace corbel::data {

/// The opaque text of a place in a list: the values that the last row has in the columns of its order.
/// `list` names the list and its order, so that a cursor of another list is told apart. The check sum finds
/// damage; it is no secret, and a cursor that someone makes up can only ask for another place of the same
/// list.
std::string make_cursor(std::string_view list, const std::vector<value>& place);

/// Empty when the text is not a cursor of this list with `count` values.
std::optional<std::vector<value>> read_cursor(std::string_view list, std::string_view text,
                                              std::size_t count);

}  // namespace corbel::data
