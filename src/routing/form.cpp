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

/// What a browser means by a pair, as `read_fields` understands it; empty when it means nothing.
std::optional<schema::text_pair> meant(const object_descriptor& object, schema::text_pair pair) {
  const auto* field = object.find(pair.first);
  if (!field) return pair;
  const auto& type = field->type->bare();
  if (pair.second.empty() && field->type->kind == type_kind::optional && type.kind != type_kind::text &&
      type.kind != type_kind::list)
    return {};
  if (pair.second == "on" && type.kind == type_kind::boolean) pair.second = "true";
  return pair;
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
  std::vector<schema::text_pair> pairs;
  pairs.reserve(sent->pairs().size());
  for (const auto& each : sent->pairs())
    if (const auto pair = meant(*type.object, each)) pairs.push_back(*pair);
  if (auto done = schema::read_fields(type, out, pairs, "body"); !done) failed.add(std::move(done).error());
}

}  // namespace corbel::detail
