#include "corbel/http/problem.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include "corbel/base/json/writer.hpp"
#include "corbel/http/accept.hpp"
#include "corbel/http/body_stream.hpp"
#include "corbel/observe/log.hpp"
#include "http/combined.hpp"
#include "http/request_access.hpp"
#include "http/response_access.hpp"

namespace corbel::problem {
namespace {

constexpr std::string_view json_type = "application/json";
constexpr std::string_view problem_type = "application/problem+json";

/// RFC 9457 is given to who names it in Accept, with a weight above zero and not below that of plain JSON.
bool wants_problem_json(const request& in) {
  std::string joined;
  const auto accept = combined(in, "Accept", joined);
  if (!accept) return false;
  const auto problem = preference_for(accept, problem_type);
  if (problem.closeness < 3 || problem.quality == 0) return false;
  const auto plain = preference_for(accept, json_type);
  return plain.closeness < 3 || problem.quality >= plain.quality;
}

void member(std::string& out, std::string_view name, std::string_view value) {
  json::append_string(out, name);
  out += ':';
  json::append_string(out, value);
}

void violations(std::string& out, const std::vector<violation>& all) {
  out += '[';
  for (const auto& each : all) {
    if (out.back() != '[') out += ',';
    out += '{';
    member(out, "in", each.in);
    out += ',';
    member(out, "path", each.path);
    out += ',';
    member(out, "rule", each.rule);
    out += ',';
    member(out, "message", each.message);
    out += '}';
  }
  out += ']';
}

void details(std::string& out, const error& e) {
  out += '{';
  for (const auto& [name, value] : e.details()) {
    if (out.back() != '{') out += ',';
    member(out, name, value);
  }
  if (!e.violations().empty()) {
    if (out.back() != '{') out += ',';
    out += "\"errors\":";
    violations(out, e.violations());
  }
  out += '}';
}

/// What the client is not told: under the request id, for whoever reads the log.
void log_cause(const request& in, const error& e) {
  if (e.kind() == error_kind::internal)
    in.log().error(
        "request failed",
        {{"code", e.code()}, {"cause", e.cause()}, {"method", in.method_name()}, {"path", in.path()}});
  else if (!e.cause().empty())
    in.log().warn(
        "request refused",
        {{"code", e.code()}, {"cause", e.cause()}, {"method", in.method_name()}, {"path", in.path()}});
}

}  // namespace

void write(const request& in, const error& e, response& out) {
  log_cause(in, e);
  const status s = status_of(e.kind());
  response_access(out).reset();
  out.status(s);
  auto& body = out.body_buffer();
  if (wants_problem_json(in)) {
    response_access(out).set(problem_content);
    body += "{\"type\":\"about:blank\",";
    member(body, "title", reason_phrase(s));
    body += ",\"status\":" + std::to_string(static_cast<int>(s)) + ',';
    member(body, "detail", e.message());
    body += ',';
    member(body, "instance", in.path());
    body += ',';
    member(body, "code", e.code());
  } else {
    response_access(out).set(json_content);
    body += '{';
    member(body, "code", e.code());
    body += ',';
    member(body, "message", e.message());
  }
  body += ",\"details\":";
  details(body, e);
  body += ",\"timestamp\":\"";
  append_text(body, in.now());
  body += "\",";
  member(body, "path", in.path());
  body += ',';
  member(body, "requestId", in.id());
  body += '}';
  vary(out, "Accept");
  for (const auto& [name, value] : e.headers()) out.add(name, value);
  if (const auto wait = e.retry_after()) out.set("Retry-After", std::to_string(wait->count()));
}

error from_exception(std::exception_ptr thrown) noexcept {
  try {
    std::rethrow_exception(std::move(thrown));
  } catch (const failure& f) {
    return f.error();
  } catch (const boost::system::system_error& e) {
    if (e.code() == boost::asio::error::operation_aborted)
      return unavailable("The request was given up before it was answered.", "cancelled");
    return internal_error(e.what());
  } catch (const std::exception& e) {
    return internal_error(e.what());
  } catch (...) {
    return internal_error("an exception that is no std::exception");
  }
}

error from_exception(const request& in, std::exception_ptr thrown) noexcept {
  auto why = from_exception(std::move(thrown));
  return request_access::client_left(in) && why.code() == "cancelled" ? client_gone() : why;
}

}  // namespace corbel::problem
