#include "corbel/routing/extract.hpp"

#include <algorithm>

#include "corbel/http/cookie.hpp"
#include "corbel/http/media_type.hpp"
#include "corbel/observe/log.hpp"
#include "corbel/schema/fields.hpp"
#include "corbel/schema/parse.hpp"
#include "http/combined.hpp"

namespace corbel {

void extraction::add(error e) {
  if (e.kind() != error_kind::invalid || e.violations().empty()) return refuse(std::move(e));
  for (const auto& each : e.violations()) violations_.push_back(each);
}

error extraction::take() && {
  if (refused_) return std::move(*refused_);
  return invalid(std::move(violations_));
}

namespace detail {

logger parameter<logger>::give(request& in, slot&) {
  return in.log();
}

namespace {

void read_optional(std::optional<std::string_view> text, std::string_view in, std::string_view name,
                   const type_descriptor& type, void* out, extraction& failed) {
  if (text)
    schema::read_one(type, no_rules, out, *text, in, name, failed.violations());
  else if (type.kind != type_kind::optional)
    failed.add(violation{std::string(in), '/' + std::string(name), "required", "is required"});
}

/// The request fields that RFC 9110 to 9112 and their relatives define as lists: they may come in several
/// lines.
bool is_list_field(std::string_view name) {
  for (const char* each : {"accept",           "accept-charset",   "accept-encoding",
                           "accept-language",  "cache-control",    "connection",
                           "content-encoding", "content-language", "expect",
                           "forwarded",        "if-match",         "if-none-match",
                           "pragma",           "prefer",           "te",
                           "trailer",          "upgrade",          "via",
                           "x-forwarded-for",  "x-forwarded-host", "x-forwarded-proto"})
    if (iequals(name, each)) return true;
  return false;
}

}  // namespace

error broken_query() {
  return malformed("The query string has a broken percent escape; write % as %25.", "malformed_query");
}

void read_path(const request& in, const path_choice& which, const type_descriptor& type, void* out,
               extraction& failed) {
  auto left = which.position;
  for (const auto& param : in.path_params()) {
    const bool meant = which.name.empty() ? std::find(which.taken.begin(), which.taken.end(), param.name) ==
                                                    which.taken.end() &&
                                                left-- == 0
                                          : param.name == which.name;
    if (!meant) continue;
    schema::read_one(type, no_rules, out, param.value, "path", param.name, failed.violations());
    return;
  }
}

void read_query(const request& in, const type_descriptor& type, void* out, extraction& failed) {
  const auto& params = in.query_params();
  if (!params) return failed.refuse(broken_query());
  if (auto done = schema::read_fields(type, out, params->pairs(), "query"); !done)
    failed.add(std::move(done).error());
}

void read_header(const request& in, std::string_view name, const type_descriptor& type, void* out,
                 extraction& failed) {
  std::string joined;
  const auto text = combined(in, name, joined);
  // Lines of one name are one list (RFC 9110, 5.3); where one value is meant, which of two is nobody's to
  // guess.
  if (!joined.empty() && !(is_list_field(name) && type.bare().kind == type_kind::text))
    return failed.add(violation{"header", '/' + std::string(name), "maxItems", "must be given once"});
  read_optional(text, "header", name, type, out, failed);
}

void read_cookie(const request& in, std::string_view name, const type_descriptor& type, void* out,
                 extraction& failed) {
  const auto text = cookie_value(in, name);
  read_optional(text ? std::optional<std::string_view>(*text) : std::nullopt, "cookie", name, type, out,
                failed);
}

bool expect_whole(const request& in, extraction& failed) {
  if (in.method() != method::put || !in.header("content-range")) return true;
  failed.refuse(malformed(
      "A PUT with Content-Range would replace the whole by a part; send the whole without Content-Range.",
      "partial_put"));
  return false;
}

bool expect_plain(const request& in, extraction& failed) {
  if (!expect_whole(in, failed)) return false;
  const auto coding = in.header("content-encoding");
  if (!coding || iequals(*coding, "identity")) return true;
  if (in.body().empty() && !in.arriving()) return true;  // nothing is no less for being encoded
  failed.refuse(error(error_kind::unsupported_media_type, "unsupported_encoding",
                      "The body has a Content-Encoding, which is not undone here; send it plain."));
  return false;
}

bool expect_json(const request& in, extraction& failed) {
  const auto content_type = in.header("content-type");
  if (in.body().empty() && !content_type)
    failed.refuse(
        malformed("The request has no body; send JSON with Content-Type: application/json.", "missing_body"));
  else if (!expect_plain(in, failed))
    return false;
  else if (!content_type || !is_json(*content_type))
    failed.refuse(error(error_kind::unsupported_media_type, "unsupported_media_type",
                        "The body must be JSON in UTF-8; send it with Content-Type: application/json."));
  else
    return true;
  return false;
}

void read_body(const request& in, const type_descriptor& type, void* out, extraction& failed) {
  if (!expect_json(in, failed)) return;
  if (auto done = schema::parse_into(type, out, in.body()); !done) failed.add(std::move(done).error());
}

}  // namespace detail
}  // namespace corbel
