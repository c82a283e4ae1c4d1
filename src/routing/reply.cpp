#include "corbel/routing/reply.hpp"

#include "corbel/base/json/writer.hpp"
#include "corbel/base/text_value.hpp"
#include "corbel/http/problem.hpp"
#include "corbel/http/url.hpp"
#include "http/response_access.hpp"

namespace corbel::detail {

void write_json(response& out, status s, const type_descriptor& type, const void* value) {
  out.status(s);
  response_access(out).set<json_content>();
  json::append(out.body_buffer(), type, value);
}

void write_text(response& out, std::string_view text) {
  out.body_buffer() = text;
  response_access(out).set<text_content>();
}

void write_created(const request& in, response& out, std::string_view location, std::string_view collection,
                   const type_descriptor& type, const void* value) {
  write_json(out, status::created, type, value);
  if (!location.empty()) {
    out.set("Location", location);
    return;
  }
  const auto* id = type.kind == type_kind::object ? type.object->find("id") : nullptr;
  if (!id || !is_scalar(*id->type)) return;
  std::string uri;
  uri.reserve(256);
  uri = collection.empty() ? in.path() : collection;
  if (uri.empty() || uri.back() != '/') uri += '/';
  const auto base = uri.size();
  append_text(uri, *id->type, id->member_of(value));
  if (id->type->kind != type_kind::uuid && id->type->kind != type_kind::integer) {
    const std::string text = uri.substr(base);
    uri.resize(base);
    append_percent_encoded(uri, text);
  }
  out.set("Location", uri);
}

void write_error(const request& in, response& out, const error& e) {
  problem::write(in, e, out);
}

void write_response(response& out, response made) {
  response_access(out).take(std::move(made));
}

}  // namespace corbel::detail
