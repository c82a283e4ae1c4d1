#include "server/tls/context.hpp"

namespace corbel::tls {
namespace {

bool matches(std::string_view pattern, std::string_view name) {
  if (pattern.substr(0, 2) != "*.") return pattern == name;
  const auto dot = name.find('.');
  return dot != std::string_view::npos && dot > 0 && pattern.substr(1) == name.substr(dot);
}

}  // namespace

SSL_CTX* context::for_name(std::string_view name) const noexcept {
  if (!name.empty() && name.back() == '.') name.remove_suffix(1);
  // An exact name goes before a wildcard, in whatever order they were listed.
  for (const bool wild : {false, true})
    for (const auto& each : hosts_)
      for (const auto& pattern : each.names)
        if ((pattern.front() == '*') == wild && matches(pattern, name)) return each.context.get();
  return first();
}

}  // namespace corbel::tls
