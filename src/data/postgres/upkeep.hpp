#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "corbel/data/postgres/database.hpp"

namespace corbel::postgres {

task<void> require_extension_on(data::database on, std::string name);
task<void> refresh_on(data::database on, std::string view, bool concurrently);
/// `leads` are connections apart from those of `on`, since who leads keeps one.
task<void> refresh_for_ever(data::database on, data::database leads, std::string view, refresh_schedule how);

}  // namespace corbel::postgres
