#pragma once

#include <corbel/data/database.hpp>
#include <string_view>

/// The database at `url`. Throws `failure` when it cannot be opened, or when this build has no driver for it.
corbel::data::database open_database(std::string_view url);
