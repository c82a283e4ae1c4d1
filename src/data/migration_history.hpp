#pragma once

#include <optional>
#include <string>
#include <vector>

#include "corbel/data/migrations.hpp"

/// What the table corbel_migrations says, and whether the files agree with it.
namespace corbel::data::detail {

using applied_list = std::vector<applied_migration>;

/// In order of version; empty when there is no table yet. Reads only.
task<applied_list> read_history(source from);

/// The same for who is about to write: makes the table when it is missing.
task<applied_list> open_history(source in);

/// Before the record of a file is written: undoes what the file did to the session, as pg_dump's scripts
/// empty the search path, so that the record goes where it is read, by whoever may write it.
task<void> restore_session(transaction* tx);

/// The file of an applied migration that was edited or removed since.
std::optional<error> changed_history(const applied_list& applied, const std::vector<migration>& files);

/// That, or a new file whose number is below what is applied.
std::optional<error> disagreement(const applied_list& applied, const std::vector<migration>& files);

error history_error(std::string code, std::string message);

/// For the operator: a file that was being run when `why` happened.
error failed_file(const std::string& file, bool no_transaction, const error& why);

std::string file_of(const applied_migration& done);

/// The last applied version; 0 when there is none.
std::int64_t last_version(const applied_list& applied);

}  // namespace corbel::data::detail
