#include "fuzz/fuzz.hpp"
#include "http/form_bodies.hpp"

/// A form reads the same however it was cut, and no part holds what would have ended it.
void fuzz::multipart_form(std::string_view input) {
  const std::size_t step = 1 + choice(input, 32);
  const auto whole = forms::parse("fuzz", input);
  const auto cut =
      forms::parse("fuzz", input, [step](std::size_t left) { return left < step ? left : step; });
  demand(whole == cut, "a form depends on how it was cut");
  for (const auto& part : whole.parts) {
    demand(part.data.find("\r\n--fuzz") == std::string::npos, "a part goes on past its boundary");
    const auto name = corbel::safe_file_name(part.filename);
    demand(!name.empty() && name.size() <= 201 &&
               name.find_first_of(std::string_view("/\\\0", 3)) == name.npos && name.front() != '.',
           "a safe file name is none");
  }
}
