#include "corbel/routing/extract.hpp"

#include <algorithm>

#include "corbel/http/cookie.hpp"
#include "corbel/http/media_type.hpp"
#include "corbel/schema/fields.hpp"
#include "corbel/schema/parse.hpp"

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
namespace {

void read_optional(std::optional<std::string_view> text, std::string_view in, std::string_view name,
                   const type_descriptor& type, void* out, extraction& failed) {
  if (text)
    schema::read_one(type, no_rules, out, *text, in, name, failed.violations());
  else if (type.kind != type_kind::optional)
    failed.add(violation{std::string(in), '/' + std::string(name), "required", "is required"});
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
  read_optional(in.header(name), "header", name, type, out, failed);
}

void read_cookie(const request& in, std::string_view name, const type_descriptor& type, void* out,
                 extraction& failed) {
  const auto text = cookie_value(in, name);
  read_optional(text ? std::optional<std::string_view>(*text) : std::nullopt, "cookie", name, type, out,
                failed);
}

bool expect_plain(const request& in, extraction& failed) {
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
