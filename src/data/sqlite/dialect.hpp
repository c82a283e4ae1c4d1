#pragma once

#include "corbel/data/driver.hpp"

struct sqlite3;

namespace corbel::sqlite {

extern const data::dialect sqlite_dialect;

/// Teaches a connection the collation that the dialect compares decimals by.
void add_decimal_order(sqlite3* to);

}  // namespace corbel::sqlite
