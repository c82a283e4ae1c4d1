#include "corbel/http/method.hpp"

namespace corbel {
namespace {
constexpr std::string_view names[method_count] = {"GET",    "HEAD",    "POST",    "PUT",   "PATCH",
                                                  "DELETE", "OPTIONS", "CONNECT", "TRACE", "OTHER"};
}

std::string_view to_string(method m) noexcept {
  return names[static_cast<std::size_t>(m)];
}

method method_of(std::string_view name) noexcept {
  for (std::size_t i = 0; i + 1 < method_count; ++i)
    if (names[i] == name) return static_cast<method>(i);
  return method::other;
}

}  // namespace corbel
