#include "corbel/http/request.hpp"
#include "fuzz/fuzz.hpp"
#include "http/request_access.hpp"

/// A cookie's value is part of the header it came in, and asking for one never fails.
void fuzz::cookie_header(std::string_view input) {
  const auto size = choice(input, 16);
  const auto name = input.substr(0, size);
  corbel::request in;
  corbel::request_access(in).clear();
  corbel::request_access(in).add_header("Cookie", input);
  const auto value = in.cookie(name);
  if (!value) return;
  demand(value->empty() || input.find(*value) != input.npos, "a value that nobody sent");
  demand(value->find(';') == value->npos, "a value that runs into the next cookie");
}
