#include "corbel/middleware/etag.hpp"

#include "corbel/http/conditional.hpp"
#include "corbel/http/date.hpp"

namespace corbel {

void etag::after(const request& in, response& out) const {
  if (out.status() != status::ok || (in.method() != method::get && in.method() != method::head)) return;
  validators current;
  if (const auto own = out.header("etag"))
    current.etag = entity_tag::parse(*own);
  else if (!out.streams())
    current.etag = entity_tag::of_content(out.body());
  if (const auto modified = out.header("last-modified"))
    current.last_modified = parse_http_date(*modified, in.now());
  if (current.etag || current.last_modified) apply_preconditions(in, current, out);
}

}  // namespace corbel
