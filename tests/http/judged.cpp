// Answers questions for judged.py, which asks Python's own libraries the same. One question a line: a word,
// and what it is about, each text in hexadecimal; one answer a line, or "-" for none.
#include <iostream>
#include <string>

#include "corbel/base/encoding.hpp"
#include "corbel/crypto/hash.hpp"
#include "corbel/http/cookie.hpp"
#include "corbel/http/cookie_keys.hpp"
#include "corbel/http/date.hpp"
#include "corbel/http/media_type.hpp"
#include "corbel/http/url.hpp"
#include "http/bare_request.hpp"

using namespace corbel;

namespace {

const timestamp now{std::chrono::seconds(1'767'323'045)};
const cookie_keys keys{"a secret that only tests may know of!!"};

std::string next_text(std::string_view& rest) {
  const auto word = next_item(rest, ' ');
  return from_hex(word).value_or("");
}

std::string date_of(std::string_view rest) {
  const auto read = parse_http_date(next_text(rest), now);
  if (!read) return "-";
  return std::to_string(std::chrono::floor<std::chrono::seconds>(*read).time_since_epoch().count()) + ' ' +
         to_hex(http_date(*read));
}

std::string form_of(std::string_view rest) {
  const auto text = next_text(rest);
  const auto pairs = query_pairs::parse(text);
  if (!pairs) return "-";
  std::string out;
  for (const auto& [name, value] : pairs->pairs()) out += '=' + to_hex(name) + ':' + to_hex(value);
  return out;
}

std::string cookie_of(std::string_view rest) {
  const auto name = next_text(rest);
  const auto sent = next_text(rest);
  const bare_request r("GET", {{"Cookie", sent}});
  const auto value = r.in.cookie(name);
  return value ? '=' + to_hex(*value) : "-";
}

std::string set_cookie_of(std::string_view rest) {
  const auto name = next_text(rest);
  const auto value = next_text(rest);
  return to_hex(new_cookie(name, value).max_age(std::chrono::seconds(7)).text());
}

std::string sign_of(std::string_view rest) {
  const auto name = next_text(rest);
  return keys.sign(name, next_text(rest)).value();
}

std::string media_of(std::string_view rest) {
  const auto text = next_text(rest);
  const auto type = parse_media_type(text);
  if (!type) return "-";
  return to_hex(type->type) + ' ' + to_hex(type->subtype) + ' ' +
         to_hex(type->parameter("charset").value_or(""));
}

std::string answer(std::string_view question) {
  const auto word = next_item(question, ' ');
  if (word == "date") return date_of(question);
  if (word == "form") return form_of(question);
  if (word == "cookie") return cookie_of(question);
  if (word == "set-cookie") return set_cookie_of(question);
  if (word == "sign") return sign_of(question);
  if (word == "media") return media_of(question);
  if (word == "base64") return '=' + to_base64(next_text(question));
  return "unknown question";
}

}  // namespace

int main() {
  std::string line;
  while (std::getline(std::cin, line)) std::cout << answer(line) << '\n';
}
