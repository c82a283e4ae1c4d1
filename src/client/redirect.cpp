#include "client/redirect.hpp"

#include "client/failures.hpp"

namespace corbel::outgoing {

bool is_redirect(const client_response& head) {
  const int code = head.code();
  return (code == 301 || code == 302 || code == 303 || code == 307 || code == 308) && head.header("Location");
}

result<void> follow(const client_response& head, call& what) {
  const auto from = what.to.origin();
  auto next = what.to.resolve(*head.header("Location"));
  if (!next) return malformed_response(from + " redirects to what is no URL: " + next.error().message());
  if (what.to.https() && !next->https() && !what.owner->settings.allow_insecure_redirects)
    return bad_gateway("insecure_redirect", "Another service sent us on in a way that is not safe.",
                       from + " redirects from https to " + next->origin() +
                           "; client_settings::allow_insecure_redirects lets that pass");
  const int code = head.code();
  const bool becomes_get =
      (code == 303 && what.now != method::head) || ((code == 301 || code == 302) && what.now == method::post);
  if (becomes_get) {
    what.now = method::get;
    what.with_body = false;
  }
  if (what.with_body && what.request.producer())
    return bad_gateway("unrepeatable_redirect", "Another service sent us on, where we cannot follow.",
                       from + " redirects a request whose body is produced once");
  what.crossed_origins |= next->origin() != from;
  what.to = *std::move(next);
  return {};
}

}  // namespace corbel::outgoing
