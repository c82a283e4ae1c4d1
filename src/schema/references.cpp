#include "schema/references.hpp"

#include "base/hex.hpp"

namespace corbel::schema {
namespace {

/// RFC 3986, 5.2 without dot segments, which names of schemas do not have.
std::string resolve_name(const std::string& base, std::string_view reference) {
  if (reference.empty()) return base;
  const auto colon = reference.find(':');
  if (colon != reference.npos && colon < reference.find('/')) return std::string(reference);
  const auto authority = base.find("://");
  if (reference.starts_with('/')) {
    const auto path = authority == base.npos ? 0 : base.find('/', authority + 3);
    return base.substr(0, path).append(reference);
  }
  const auto slash = base.rfind('/');
  if (slash == base.npos || (authority != base.npos && slash < authority + 3))
    return authority == base.npos ? std::string(reference) : base + '/' + std::string(reference);
  return base.substr(0, slash + 1).append(reference);
}

/// A pointer in a URI has its special characters percent-encoded (RFC 6901, 6).
std::string decode_fragment(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
    if (low < 0) {
      out.push_back(text[i]);
    } else {
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    }
  }
  return out;
}

}  // namespace

std::string reference_table::name(const std::string& at, std::string_view id, const std::string& base) {
  const auto hash = id.find('#');
  std::string whole = resolve_name(base, id.substr(0, hash));
  if (hash != id.npos && hash + 1 < id.size())
    places_.emplace(whole + std::string(id.substr(hash)), at);
  else
    places_.emplace(whole, at);
  return hash == 0 ? base : whole;
}

std::optional<std::string> reference_table::find(std::string_view reference, const std::string& base) const {
  const auto hash = reference.find('#');
  const std::string whole = resolve_name(base, reference.substr(0, hash));
  const std::string fragment = hash == reference.npos ? "" : decode_fragment(reference.substr(hash + 1));
  const bool by_pointer = fragment.empty() || fragment.front() == '/';
  const auto place = places_.find(by_pointer ? whole : whole + '#' + fragment);
  if (place == places_.end()) return {};
  std::string pointer = by_pointer ? place->second + fragment : place->second;
  for (const auto& [from, to] : moved_)
    if (pointer.starts_with(from) && (pointer.size() == from.size() || pointer[from.size()] == '/'))
      pointer.replace(0, from.size(), to);
  return pointer;
}

}  // namespace corbel::schema
