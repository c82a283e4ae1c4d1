#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

/// A fuzz target takes any bytes and ends the program over what must never happen. libFuzzer invents the
/// bytes (scripts/fuzz); the ordinary tests replay those that it once found interesting (corpus/).
namespace fuzz {

using target = void(std::string_view input);

target request_head;
target chunked_body;
target connection;
target query_string;
target cookie_header;
target json_body;
target request_fields;
target multipart_form;
target postgres_answers;  // only where the driver is built

/// Ends the program when `holds` is false: the fuzzer keeps the input that did it.
inline void demand(bool holds, const char* sentence) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: %s\n", sentence);
  std::abort();
}

/// Takes one byte off the front as a number below `limit`, to let the input decide something.
inline std::size_t choice(std::string_view& input, std::size_t limit) {
  if (input.empty()) return 0;
  const auto first = static_cast<unsigned char>(input.front());
  input.remove_prefix(1);
  return first % limit;
}

}  // namespace fuzz
