#include "data/sqlite/dialect.hpp"

#include <sqlite3.h>

#include "data/decimal_type.hpp"

namespace corbel::sqlite {
namespace {

std::string json_path(std::span<const std::string_view> keys) {
  std::string path = "'$";
  for (const auto& key : keys) path.append(".").append(key);
  return path + "'";
}

/// Numbers and booleans come as themselves, everything else as text. Free-form JSON has to be text whatever
/// it holds, and its booleans the words that Postgres has for them.
std::string member(std::string_view column, std::span<const std::string_view> keys,
                   const type_descriptor& leaf) {
  const auto path = json_path(keys);
  const auto found = "(" + std::string(column) + " ->> " + path + ")";
  if (data::is_decimal(leaf)) return found.substr(0, found.size() - 1) + " collate corbel_decimal)";
  if (leaf.kind != type_kind::json) return found;
  const auto type = "json_type(" + std::string(column) + ", " + path + ")";
  return "(case when " + type + " in ('true', 'false') then " + type + " else cast(" + found +
         " as text) end)";
}

std::string has(std::string_view column, std::string_view placeholder) {
  return "exists (select 1 from json_each(" + std::string(column) +
         ") where value = " + std::string(placeholder) + ")";
}

data::value element(const type_descriptor&, const data::value& wanted) {
  return wanted;
}

/// Negative, zero or positive. What is no decimal sorts behind those that are, as text.
int compare_decimals(void*, int a_size, const void* a, int b_size, const void* b) {
  const std::string_view left(static_cast<const char*>(a), static_cast<std::size_t>(a_size));
  const std::string_view right(static_cast<const char*>(b), static_cast<std::size_t>(b_size));
  const auto x = from_text(tag<decimal>{}, left);
  const auto y = from_text(tag<decimal>{}, right);
  if (x && y) return *x < *y ? -1 : *x > *y ? 1 : 0;
  if (x || y) return x ? -1 : 1;
  return left.compare(right);
}

}  // namespace

const data::dialect sqlite_dialect{
    .name = "sqlite",
    .most_parameters = 32'000,
    .find_table = "select count(*) from sqlite_master where type = 'table' and name = $1",
    .decimal_column = " collate corbel_decimal",
    .member = &member,
    .has = &has,
    .element = &element,
};

void add_decimal_order(sqlite3* to) {
  sqlite3_create_collation_v2(to, "corbel_decimal", SQLITE_UTF8, nullptr, &compare_decimals, nullptr);
}

}  // namespace corbel::sqlite
