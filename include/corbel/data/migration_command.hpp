#pragma once

#include <optional>

#include <corbel/data/migrations.hpp>

namespace corbel::data {

/// The schema tools as a command of a program, for its `main`: `PROGRAM migrate`, `migrate status`,
/// `migrate plan` and `migrate down N`. Prints what it did to standard output, what went wrong to standard
/// error, and gives the exit status: 0, 1 when it failed, 64 when the arguments make no sense. Nothing when
/// the first argument is not `migrate`. Blocks; for the main thread, before the server starts.
std::optional<int> migration_command(const database& db, const migration_set& set, int argc,
                                     const char* const* argv);

}  // namespace corbel::data
