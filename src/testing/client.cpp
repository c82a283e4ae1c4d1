#include "corbel/testing/client.hpp"

#include "corbel/base/json/decode.hpp"

namespace corbel::testing {
namespace {

constexpr std::size_t most_shown = 2000;  // bytes of one body

std::string shortened(std::string_view text) {
  if (text.size() <= most_shown) return std::string(text);
  return std::string(text.substr(0, most_shown)) + "... (" + std::to_string(text.size()) + " bytes)";
}

/// CR LF as LF, and every line set in.
std::string indented(std::string_view text) {
  std::string out = "    ";
  for (const char c : text) {
    if (c == '\r') continue;
    out += c;
    if (c == '\n') out += "    ";
  }
  return out;
}

std::string status_line(status s) {
  return std::to_string(static_cast<int>(s)) + ' ' + std::string(reason_phrase(s));
}

std::string shown(const injected_response& got) {
  return status_line(got.status()) + '\n' + std::string(got.header_text()) + '\n' + shortened(got.body());
}

/// What a test reads of the error envelope, in either of its forms.
struct broken_rule {
  std::string path;
  std::string rule;
};
constexpr auto describe(tag<broken_rule>) {
  using namespace rules;
  return object(field("path", &broken_rule::path), field("rule", &broken_rule::rule)).open();
}
struct envelope_details {
  std::vector<broken_rule> errors;
};
constexpr auto describe(tag<envelope_details>) {
  using namespace rules;
  return object(field("errors", &envelope_details::errors, defaulted())).open();
}
struct envelope {
  std::string code;
  envelope_details details;
};
constexpr auto describe(tag<envelope>) {
  using namespace rules;
  return object(field("code", &envelope::code), field("details", &envelope::details)).open();
}

}  // namespace

std::string answer::header(std::string_view name) const {
  return std::string(got_.header(name).value_or(std::string_view{}));
}

void answer::fail(const std::string& wanted) const {
  throw unexpected("expected " + wanted + "\n  asked:\n" + indented(shortened(asked_)) + "\n  got:\n" +
                   indented(shown(got_)));
}

std::string answer::describe_error(const error& e) {
  std::string text = e.message();
  for (const auto& each : e.violations()) text += "; " + each.path + ' ' + each.message;
  return text;
}

const answer& answer::expect(corbel::status wanted) const& {
  if (got_.status() != wanted) fail(status_line(wanted));
  return *this;
}

answer&& answer::expect(corbel::status wanted) && {
  std::as_const(*this).expect(wanted);
  return std::move(*this);
}

const answer& answer::expect_code(std::string_view wanted) const& {
  const auto read = got_.json<envelope>();
  if (!read || read->code != wanted) fail("the error code " + std::string(wanted));
  return *this;
}

const answer& answer::expect_violation(std::string_view path, std::string_view rule) const& {
  const auto read = got_.json<envelope>();
  if (read)
    for (const auto& each : read->details.errors)
      if (each.path == path && each.rule == rule) return *this;
  fail("the rule " + std::string(rule) + " to be broken at " + std::string(path));
}

const answer& answer::expect_header(std::string_view name, std::string_view wanted) const& {
  if (got_.header(name) != wanted) fail("the header " + std::string(name) + ": " + std::string(wanted));
  return *this;
}

answer call::send() && {
  auto got = server_->inject(request_);
  return {request_.text(), std::move(got)};
}

answer call::expect(corbel::status wanted) && {
  return std::move(*this).send().expect(wanted);
}

call client::request(std::string method, std::string target) const {
  call made(*server_, {std::move(method), std::move(target)});
  for (const auto& [name, value] : headers_) (void)std::move(made).header(name, value);
  return made;
}

}  // namespace corbel::testing
