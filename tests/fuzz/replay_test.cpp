#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include "fuzz/fuzz.hpp"

namespace {

std::string contents(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("what a fuzzer once found interesting does no harm") {
  for (const auto& [name, run] : {std::pair<const char*, fuzz::target*>{"request_head", &fuzz::request_head},
                                  {"chunked_body", &fuzz::chunked_body},
                                  {"connection", &fuzz::connection},
                                  {"query_string", &fuzz::query_string},
                                  {"cookie_header", &fuzz::cookie_header},
                                  {"json_body", &fuzz::json_body},
                                  {"request_fields", &fuzz::request_fields},
#ifdef CORBEL_FUZZ_POSTGRES
                                  {"postgres_answers", &fuzz::postgres_answers},
#endif
                                  {"multipart_form", &fuzz::multipart_form}}) {
    CAPTURE(name);
    std::size_t inputs = 0;
    for (const auto& file :
         std::filesystem::directory_iterator(std::filesystem::path(CORBEL_FUZZ_CORPUS) / name)) {
      CAPTURE(file.path().filename().string());
      run(contents(file.path()));
      ++inputs;
    }
    CHECK(inputs > 0);
  }
}
