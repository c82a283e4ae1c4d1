#include "data/postgres/names.hpp"

#include "base/json/utf8.hpp"
#include "corbel/base/error.hpp"

namespace corbel::postgres {
namespace {

constexpr std::size_t most_name = 63;  // NAMEDATALEN - 1

}  // namespace

std::string quoted_name(std::string_view name, std::string_view what) {
  if (name.empty() || name.size() > most_name || name.find('\0') != name.npos)
    throw failure(error{error_kind::invalid, "bad_name",
                        "The name of " + std::string(what) +
                            " has 1 to 63 bytes, none of them NUL; this one has " +
                            std::to_string(name.size()) + "."});
  if (!json::is_utf8(name))
    throw failure(error{error_kind::invalid, "bad_name",
                        "The name of " + std::string(what) + " is UTF-8; this one is not."});
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string quoted_path(std::string_view name, std::string_view what) {
  const auto dot = name.find('.');
  if (dot == name.npos) return quoted_name(name, what);
  return quoted_name(name.substr(0, dot), what) + "." + quoted_name(name.substr(dot + 1), what);
}

void require_postgres(std::string_view dialect, std::string_view what) {
  if (dialect == "postgres") return;
  throw failure(error{error_kind::invalid, "postgres_needed",
                      std::string(what) + " needs Postgres, but this database is " + std::string(dialect) +
                          ". Give the program a DATABASE_URL that begins with postgres://."});
}

}  // namespace corbel::postgres
