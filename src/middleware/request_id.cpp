#include "corbel/middleware/request_id.hpp"

#include <algorithm>
#include <cstring>

#include "corbel/base/uuid.hpp"
#include "corbel/http/field.hpp"
#include "http/request_access.hpp"
#include "http/response_access.hpp"

namespace corbel {
namespace {

constexpr known_name name("X-Request-Id: ");
constexpr std::size_t longest_id = 128;

bool is_valid(std::string_view id) {
  return !id.empty() && id.size() <= longest_id && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

}  // namespace

flow request_id::before(request& in, response&) const {
  if (!in.id().empty()) return flow::proceed;  // refused after all: the id that the log knows already stays
  request_access access(in);
  if (const auto given = in.header(name.name()); given && is_valid(*given)) {
    access.checked_id(*given);
  } else {
    write_text(access.make_id(), uuid::v7(access.recently()));
  }
  return flow::proceed;
}

void request_id::after(const request& in, response& out) const {
  const auto id = in.id();
  if (request_access::has_checked_id(in))
    response_access(out).set_written<name>(id.size(),
                                           [&](char* at) { std::memcpy(at, id.data(), id.size()); });
  else
    out.set(name.name(), id);  // an id that a middleware of the application has given is any text
}

}  // namespace corbel
