#include "corbel/middleware/request_id.hpp"

#include <algorithm>

#include "corbel/base/uuid.hpp"
#include "corbel/http/field.hpp"
#include "http/request_access.hpp"
#include "http/response_access.hpp"

namespace corbel {
namespace {

constexpr std::string_view name = "X-Request-Id";
constexpr std::size_t longest = 128;

bool is_valid(std::string_view id) {
  return !id.empty() && id.size() <= longest && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

}  // namespace

flow request_id::before(request& in, response&) const {
  if (!in.id().empty()) return flow::proceed;  // refused after all: the id that the log knows already stays
  if (const auto given = in.header(name); given && is_valid(*given)) {
    in.id(*given);
  } else {
    char made[36];
    write_text(made, uuid::v7(request_access(in).recently()));
    in.id({made, sizeof made});
  }
  return flow::proceed;
}

void request_id::after(const request& in, response& out) const {
  const auto id = in.id();
  char line[name.size() + 2 + longest + 2];
  // An id that a middleware of the application has given is any text.
  if (id.size() > longest || !is_field_value(id)) {
    out.set(name, id);
    return;
  }
  char* at = std::copy(name.begin(), name.end(), line);
  *at++ = ':';
  *at++ = ' ';
  at = std::copy(id.begin(), id.end(), at);
  *at++ = '\r';
  *at++ = '\n';
  response_access(out).set(name, {line, static_cast<std::size_t>(at - line)});
}

}  // namespace corbel
