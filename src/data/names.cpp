#include "data/names.hpp"

namespace corbel::data {
namespace {

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}

/// Gives each character of the name in snake_case, until `put` gives false.
template <class Put>
bool each_snake(std::string_view name, Put put) {
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (!is_upper(name[i])) {
      if (!put(name[i])) return false;
      continue;
    }
    // "ownerID" is owner_id and "URLPath" is url_path: a run of capitals is one word.
    const bool after_lower = i > 0 && !is_upper(name[i - 1]) && name[i - 1] != '_';
    const bool ends_run = i > 0 && is_upper(name[i - 1]) && i + 1 < name.size() && is_lower(name[i + 1]);
    if ((after_lower || ends_run) && !put('_')) return false;
    if (!put(static_cast<char>(name[i] - 'A' + 'a'))) return false;
  }
  return true;
}

}  // namespace

std::string snake_case(std::string_view name) {
  std::string out;
  out.reserve(name.size() + 4);
  each_snake(name, [&out](char c) {
    out += c;
    return true;
  });
  return out;
}

bool matches_snake_case(std::string_view name, std::string_view column) noexcept {
  const bool all = each_snake(name, [&column](char c) {
    if (!column.starts_with(c)) return false;
    column.remove_prefix(1);
    return true;
  });
  return all && column.empty();
}

std::string camel_case(std::string_view name) {
  std::string out;
  out.reserve(name.size());
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '_' && i > 0 && i + 1 < name.size() && is_lower(name[i + 1]))
      out += static_cast<char>(name[++i] - 'a' + 'A');
    else
      out += name[i];
  }
  return out;
}

}  // namespace corbel::data
