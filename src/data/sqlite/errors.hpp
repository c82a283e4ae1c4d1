#pragma once

#include <string_view>

#include "corbel/base/error.hpp"

namespace corbel::sqlite {

/// What an extended result code of SQLite and its message mean. `sql` goes to the cause.
error to_error(int extended_code, std::string_view message, std::string_view sql);

}  // namespace corbel::sqlite
