#pragma once

#include <string>
#include <string_view>

namespace corbel::postgres {

/// `name` as one identifier of SQL, quotes doubled: "or""der". Throws `failure` (invalid) for an empty name,
/// one with a NUL and one of more than 63 bytes, of which the server would keep the front alone; `what` is
/// what the message calls it.
std::string quoted_name(std::string_view name, std::string_view what);

/// The same for a name that may have its schema in front: `sales.orders` is "sales"."orders".
std::string quoted_path(std::string_view name, std::string_view what);

/// Throws `failure` (invalid) when these are not Postgres: for what else would find it out later, and worse.
void require_postgres(std::string_view dialect, std::string_view what);

}  // namespace corbel::postgres
