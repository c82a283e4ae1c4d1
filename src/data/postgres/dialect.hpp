#pragma once

#include "corbel/data/driver.hpp"

namespace corbel::postgres {

extern const data::dialect postgres_dialect;

}  // namespace corbel::postgres
