#include "data/names.hpp"

namespace corbel::data {
namespace {

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}

}  // namespace

std::string snake_case(std::string_view name) {
  std::string out;
  out.reserve(name.size() + 4);
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (!is_upper(name[i])) {
      out += name[i];
      continue;
    }
    // "ownerID" is owner_id and "URLPath" is url_path: a run of capitals is one word.
    const bool after_lower = i > 0 && !is_upper(name[i - 1]) && name[i - 1] != '_';
    const bool ends_run = i > 0 && is_upper(name[i - 1]) && i + 1 < name.size() && is_lower(name[i + 1]);
    if (after_lower || ends_run) out += '_';
    out += static_cast<char>(name[i] - 'A' + 'a');
  }
  return out;
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
