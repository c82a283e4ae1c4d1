#include <iterator>
#include <string>

#include "corbel/http/accept.hpp"
#include "corbel/http/conditional.hpp"
#include "corbel/http/cookie_keys.hpp"
#include "corbel/http/date.hpp"
#include "corbel/http/range.hpp"
#include "fuzz/fuzz.hpp"
#include "http/request_access.hpp"

namespace {

using namespace corbel;

void negotiate(const request& in) {
  const auto type = best_type(in, {"application/json", "text/csv;header=present"});
  fuzz::demand(type.empty() || type == "application/json" || type == "text/csv;header=present",
               "a type that was not offered");
  const auto coding = preferred_encoding(in, {"br", "gzip"});
  fuzz::demand(coding.empty() || coding == "br" || coding == "gzip" || coding == "identity",
               "a coding that was not offered");
  const auto language = preferred_language(in, {"en", "pt-BR"});
  fuzz::demand(language == "en" || language == "pt-BR", "a language that was not offered");
}

void ask_conditions(const request& in) {
  const validators strong{entity_tag::strong("a"), timestamp(std::chrono::seconds(784'111'777)), true};
  // What matches strongly matches weakly, too: the two answers of one list cannot contradict each other.
  const bool matched = evaluate_preconditions(in, strong) == precondition::proceed;
  const bool of_weak = evaluate_preconditions(in, {entity_tag::weak("a"), {}, true}) == precondition::proceed;
  const auto list = in.header("If-Match");
  fuzz::demand(!list || !of_weak || matched, "a weak tag satisfied If-Match where a strong one did not");
}

void choose(const request& in) {
  constexpr std::uint64_t size = 1000;
  const auto choice = choose_ranges(in, size, {});
  std::uint64_t next = 0;
  for (const auto& each : choice.ranges) {
    fuzz::demand(each.first >= next && each.first <= each.last && each.last < size, "a range out of place");
    next = each.last + 1;
  }
  fuzz::demand((choice.what == range_choice::kind::partial) == !choice.ranges.empty(),
               "a part without ranges");
}

}  // namespace

/// What fields ask for is something that there is, whatever they hold.
void fuzz::request_fields(std::string_view input) {
  static constexpr std::string_view names[] = {"Accept",   "Accept-Encoding", "Accept-Language",
                                               "Range",    "If-None-Match",   "If-Match",
                                               "If-Range", "Cookie",          "If-Modified-Since"};
  static const cookie_keys keys{"a secret that only the fuzzer knows of"};
  const auto name = names[choice(input, std::size(names))];
  request in;
  request_access access(in);
  access.start_line("GET", "/", 11);
  access.add_header(name, input);
  if (name == "If-Range") access.add_header("Range", "bytes=0-9");
  negotiate(in);
  if (name == "If-Match" && input != "*" && input.find('*') == input.npos)
    demand(evaluate_preconditions(in, {entity_tag::weak("a"), {}, true}) == precondition::failed,
           "a weak tag satisfied If-Match");
  ask_conditions(in);
  choose(in);
  demand(!keys.read_signed(in, "a") && !keys.read_sealed(in, "a"), "a forged cookie was believed");
  if (const auto date = parse_http_date(input, in.now()))
    demand(parse_http_date(http_date(*date), in.now()) == date, "a date does not come back");
}
