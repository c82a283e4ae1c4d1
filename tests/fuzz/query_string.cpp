#include "corbel/http/url.hpp"
#include "fuzz/fuzz.hpp"

/// What a query decodes to is what its pairs, encoded again, decode to.
void fuzz::query_string(std::string_view input) {
  const auto read = corbel::query_pairs::parse(input);
  if (!read) return;
  std::string again;
  for (const auto& [name, value] : read->pairs()) {
    demand(name.find('\0') == name.npos && value.find('\0') == value.npos, "a NUL was let through");
    if (!again.empty()) again += '&';
    again += corbel::percent_encode(name) + '=' + corbel::percent_encode(value);
  }
  const auto reread = corbel::query_pairs::parse(again);
  demand(reread && reread->pairs() == read->pairs(), "a pair does not survive encoding");
}
