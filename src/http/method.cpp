#include "corbel/http/method.hpp"

#include <cstring>

namespace corbel {
namespace {
constexpr std::string_view method_names[method_count] = {"GET",    "HEAD",    "POST",    "PUT",   "PATCH",
                                                         "DELETE", "OPTIONS", "CONNECT", "TRACE", "OTHER"};
}

std::string_view to_string(method m) noexcept {
  return method_names[static_cast<std::size_t>(m)];
}

method method_of(std::string_view name) noexcept {
  const auto is = [&]<std::size_t N>(const char(&known)[N]) {
    return std::memcmp(name.data(), known, N - 1) == 0;
  };
  switch (name.size()) {
    case 3: return is("GET") ? method::get : is("PUT") ? method::put : method::other;
    case 4: return is("POST") ? method::post : is("HEAD") ? method::head : method::other;
    case 5: return is("PATCH") ? method::patch : is("TRACE") ? method::trace : method::other;
    case 6: return is("DELETE") ? method::del : method::other;
    case 7: return is("OPTIONS") ? method::options : is("CONNECT") ? method::connect : method::other;
    default: return method::other;
  }
}

}  // namespace corbel
