#include "data/postgres/dialect.hpp"

#include "corbel/base/json/writer.hpp"
#include "data/decimal_type.hpp"

namespace corbel::postgres {
namespace {

/// `->>` gives text, and numbers sort as text no better than booleans do. Times and dates stay text: their
/// wire form sorts in the order of time, and a cast to them cannot be indexed.
std::string_view cast_for(const type_descriptor& leaf) {
  switch (leaf.kind) {
    case type_kind::boolean: return "::boolean";
    case type_kind::integer:
    case type_kind::floating: return "::numeric";
    case type_kind::custom: return data::is_decimal(leaf) ? "::numeric" : "";
    default: return "";
  }
}

std::string member(std::string_view column, std::span<const std::string_view> path,
                   const type_descriptor& leaf) {
  std::string sql = "(";
  sql += column;
  if (path.size() == 1) {
    sql.append(" ->> '").append(path[0]).append("')");
  } else {
    sql += " #>> '{";
    for (const auto& key : path) sql.append(&key == path.data() ? "" : ",").append(key);
    sql += "}')";
  }
  return sql.append(cast_for(leaf));
}

/// For jsonb as for arrays: the placeholder takes the column's type, and a GIN index serves either.
std::string has(std::string_view column, std::string_view placeholder) {
  return std::string(column).append(" @> ").append(placeholder);
}

/// A list of one, as JSON.
data::value element(const type_descriptor& of, const data::value& wanted) {
  std::string list = "[";
  const auto* whole = std::get_if<std::int64_t>(&wanted);
  if (const auto* text = std::get_if<std::string>(&wanted))
    json::append_string(list, *text);
  else if (whole && of.kind == type_kind::boolean)
    list += *whole != 0 ? "true" : "false";
  else if (whole)
    json::append_number(list, *whole);
  else if (const auto* number = std::get_if<double>(&wanted))
    json::append_number(list, *number);
  return list + "]";
}

}  // namespace

const data::dialect postgres_dialect{
    .name = "postgres",
    .most_parameters = 65'535,
    .find_table = "select count(to_regclass($1))",
    // Enough against changes and removal, and it lets others refer to the row meanwhile.
    .for_update = " for no key update",
    .for_share = " for share",
    .integer_operand = "::bigint",
    .member = &member,
    .has = &has,
    .element = &element,
    .restore_session = "reset session authorization; reset role; reset search_path;",
};

}  // namespace corbel::postgres
