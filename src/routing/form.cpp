#include "corbel/routing/form.hpp"

#include <algorithm>

#include "base/json/utf8.hpp"
#include "corbel/http/media_type.hpp"
#include "corbel/schema/fields.hpp"

namespace corbel::detail {
namespace {

bool is_form(std::string_view content_type) {
  const auto type = parse_media_type(content_type);
  return type && type->is("application/x-www-form-urlencoded") && type->is_utf8();
}

bool is_text(std::string_view text) {
  return text.find('\0') == std::string_view::npos && json::is_utf8(text);
}

}  // namespace

void read_form(const request& in, const type_descriptor& type, void* out, extraction& failed) {
  const auto content_type = in.header("content-type");
  if (in.body().empty() && !content_type)
    return failed.refuse(malformed(
        "The request has no body; send a form with Content-Type: application/x-www-form-urlencoded.",
        "missing_body"));
  if (!content_type || !is_form(*content_type))
    return failed.refuse(error(
        error_kind::unsupported_media_type, "unsupported_media_type",
        "The body must be a form in UTF-8; send it with Content-Type: application/x-www-form-urlencoded."));
  if (!expect_plain(in, failed)) return;
  const auto body = in.body();
  if (static_cast<std::size_t>(std::count(body.begin(), body.end(), '&')) >= most_form_fields)
    return failed.refuse(error(error_kind::payload_too_large, "too_many_fields",
                               "The form has more than " + std::to_string(most_form_fields) + " fields."));
  const auto sent = query_pairs::parse(body);
  if (!sent || !std::all_of(sent->pairs().begin(), sent->pairs().end(),
                            [](const auto& each) { return is_text(each.first) && is_text(each.second); }))
    return failed.refuse(
        malformed("The form has a broken percent escape, or text that is not UTF-8; write % as %25.",
                  "malformed_form"));
  if (auto done = schema::read_fields(type, out, sent->pairs(), "body"); !done)
    failed.add(std::move(done).error());
}

}  // namespace corbel::detail
