#include "corbel/http/conditional.hpp"

#include <algorithm>

#include "corbel/http/date.hpp"
#include "corbel/http/problem.hpp"
#include "http/tag_list.hpp"

namespace corbel {
namespace {

using seconds = std::chrono::seconds;

/// What a list of tags, in all its fields, says of the present state; empty without such a field.
std::optional<bool> names_current(const request& in, std::string_view field_name, const validators& current,
                                  bool strongly) {
  std::optional<bool> found;
  for (const auto& field : in.headers()) {
    if (!iequals(field.name, field_name)) continue;
    if (!found) found = false;
    auto rest = trim_space(field.value);
    if (rest == "*") found = *found || current.exists;
    while (!rest.empty()) {
      if (const auto tag = take_tag(rest)) {
        const bool same = current.exists && current.etag && tag->opaque == current.etag->opaque() &&
                          (!strongly || (!tag->weak && !current.etag->is_weak()));
        if (same) found = true;
        rest = trim_space(rest);
        if (!rest.empty() && rest.front() != ',') break;  // no list: what follows could be read in two ways
      } else if (rest.front() != ',') {
        break;
      }
      if (!rest.empty()) rest = trim_space(rest.substr(1));
    }
  }
  return found;
}

/// Whether the resource changed after the date in a field; empty when one of the two is unknown.
std::optional<bool> changed_since(const request& in, std::string_view field_name, const validators& current) {
  const auto text = in.header(field_name);
  if (!text || !current.last_modified) return {};
  const auto date = parse_http_date(*text, in.now());
  if (!date) return {};
  return std::chrono::floor<seconds>(*current.last_modified) > *date;
}

}  // namespace

precondition evaluate_preconditions(const request& in, const validators& current) {
  const auto m = in.method();
  if (m == method::connect || m == method::options || m == method::trace) return precondition::proceed;
  const bool reads = m == method::get || m == method::head;

  if (const auto matches = names_current(in, "If-Match", current, true)) {
    if (!*matches) return precondition::failed;
  } else if (changed_since(in, "If-Unmodified-Since", current).value_or(false)) {
    return precondition::failed;
  }
  if (const auto matches = names_current(in, "If-None-Match", current, false)) {
    if (*matches) return reads ? precondition::not_modified : precondition::failed;
  } else if (reads && !changed_since(in, "If-Modified-Since", current).value_or(true)) {
    return precondition::not_modified;
  }
  return precondition::proceed;
}

void set_validators(const request& in, const validators& current, response& out) {
  if (current.etag) out.set("ETag", to_text(*current.etag));
  if (current.last_modified) out.set("Last-Modified", http_date(std::min(*current.last_modified, in.now())));
}

precondition apply_preconditions(const request& in, const validators& current, response& out) {
  const auto found = evaluate_preconditions(in, current);
  if (found == precondition::failed) {
    problem::write(in, precondition_failed(), out);
    return found;
  }
  set_validators(in, current, out);
  if (found == precondition::not_modified) {
    out.status(status::not_modified);
    out.body({}, "text/plain");  // a body that streams goes, too
    // They describe the body that is not sent; the client's copy has its own (RFC 9110, 15.4.5).
    for (const auto* name : {"Content-Type", "Content-Encoding", "Content-Language", "Content-Range"})
      out.remove(name);
  }
  return found;
}

error precondition_failed() {
  return {error_kind::precondition_failed, "precondition_failed",
          "It has changed since you read it; read it again and repeat your change."};
}

}  // namespace corbel
