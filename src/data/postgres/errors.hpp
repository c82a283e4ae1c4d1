#pragma once

#include <string>
#include <string_view>

#include "corbel/data/postgres/errors.hpp"

namespace corbel::postgres {

/// Reads an ErrorResponse or a NoticeResponse.
server_report read_report(std::string_view payload);

/// The error a server's report becomes (docs/postgres.md has the table). `sql` goes to the cause alone.
error to_error(server_report said, std::string_view sql);

/// The same failure for whom the database acted for: "not allowed", in place of a fault of ours.
error denied(error internal);
/// The connection is gone, or cannot be had: nothing was done, and it may work shortly.
error connection_error(std::string cause);
/// The connection was lost while a change was under way: it may have been made, or not.
error unknown_outcome(std::string cause);
/// No connection became free in time, or too many wait.
error busy_error(std::string cause);

/// Whether the server ends the connection with this report.
bool is_fatal(const server_report& said) noexcept;

}  // namespace corbel::postgres
