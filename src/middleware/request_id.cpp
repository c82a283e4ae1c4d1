#include "corbel/middleware/request_id.hpp"

#include <algorithm>

#include "corbel/base/uuid.hpp"

namespace corbel {
namespace {

constexpr std::string_view name = "X-Request-Id";

bool is_valid(std::string_view id) {
  return !id.empty() && id.size() <= 128 && std::all_of(id.begin(), id.end(), [](char c) {
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
    write_text(made, uuid::v7(in.now()));
    in.id({made, sizeof made});
  }
  return flow::proceed;
}

void request_id::after(const request& in, response& out) const {
  out.set(name, in.id());
}

}  // namespace corbel
