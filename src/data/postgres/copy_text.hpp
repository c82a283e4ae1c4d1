#pragma once

#include <span>
#include <string>
#include <string_view>

#include "corbel/data/value.hpp"
#include "data/postgres/columns.hpp"

/// COPY's text format (PostgreSQL documentation, "COPY", "Text Format"): columns are separated by tabs, rows
/// by line feeds, `\N` is NULL, and a backslash stands before whatever would be read as something else.
namespace corbel::postgres {

/// Appends one value; `array` is the array type of its column, or 0.
void append_copy_field(std::string& out, const data::value& from, std::uint32_t array);

/// The fields of one row, without its line feed, as the payload of a DataRow of these columns: how `rows`
/// takes it. Columns that are bytea arrive as bytes. Throws `protocol_error` when the fields are not those.
void copy_row_to_payload(std::string_view line, const columns& shape, std::string& out);

/// Whether a value may be a list for an array parameter: which it is, the parameter's type tells.
bool has_lists(std::span<const data::value> values) noexcept;

/// Turns lists into array literals where the parameter is an array; `arrays` has their types, or 0.
void write_lists(std::span<data::value> values, std::span<const std::uint32_t> arrays);

/// The query of `copy (query) to ...`; empty when there is none.
std::string_view copied_query(std::string_view sql);

/// The statement with its values in place of `$1`, `$2`, ...: COPY takes no parameters. Each value becomes a
/// literal without a type, as a parameter is one. Throws `failure` (malformed) for text with a NUL.
std::string with_literals(std::string_view sql, std::span<const data::value> values);

}  // namespace corbel::postgres
