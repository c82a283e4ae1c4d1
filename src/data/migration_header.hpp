#pragma once

#include <string>
#include <string_view>

namespace corbel::data::detail {

/// What runs of a file's text: all but the mark of UTF-8 that an editor left at its start, which is no SQL.
std::string_view without_mark(std::string_view sql);

/// Whether the text of a migration says `-- corbel: no-transaction` among its leading comments.
bool says_no_transaction(std::string_view sql);

/// Throws `failure`, for the operator, when `sql` has a line that was meant as an instruction and is none.
void check_header(std::string_view file, std::string_view sql);

/// Throws `failure` when `sql` makes an index CONCURRENTLY in a transaction, or in a way that an interrupted
/// attempt could not be repeated. A look, no proof.
void check_concurrent_indexes(std::string_view file, std::string_view sql);

/// A migration that cannot be taken: `bad_migrations`.
[[noreturn]] void refuse_migration(std::string message);

}  // namespace corbel::data::detail
