#include <doctest/doctest.h>
#include <corbel/corbel.hpp>

#include <string>

namespace {

struct digest {
  std::uint32_t sum = 1;
  void add(std::string_view bytes) {
    for (const char c : bytes) sum = sum * 31 + static_cast<unsigned char>(c);
  }
};

struct upload {
  std::size_t bytes = 0;
  std::uint32_t sum = 0;
};
constexpr auto describe(corbel::tag<upload>) {
  using namespace corbel::rules;
  return object(field("bytes", &upload::bytes), field("sum", &upload::sum));
}

// region: upload
corbel::task<upload> store(corbel::body_stream body) {
  upload made;
  digest sum;
  for (auto piece = co_await body.read(); !piece.empty(); piece = co_await body.read()) {
    sum.add(piece);  // the piece lives until the next read()
    made.bytes += piece.size();
  }
  made.sum = sum.sum;
  co_return made;
}
// end: upload

// region: export
corbel::response export_rows(const corbel::request& in) {
  const auto rows = in.query() == "all" ? 100'000 : 3;
  corbel::response out;
  out.stream("text/csv", [rows](corbel::body_sink& to) -> corbel::task<> {
    for (int i = 0; i < rows; ++i) co_await to.write(std::to_string(i) + "\r\n");
  });
  return out;
}
// end: export

}  // namespace

TEST_CASE("the HTTP page's bodies stream") {
  corbel::app server;
  // region: streaming_routes
  server.post("/uploads", &store).body_limit(4'000'000'000);
  server.get("/export", &export_rows);
  // end: streaming_routes
  CHECK(server.inject(corbel::post("/uploads").body("12", "text/plain")).body() ==
        R"({"bytes":2,"sum":2530})");
  CHECK(server.inject(corbel::get("/export")).body() == "0\r\n1\r\n2\r\n");
  CHECK(server.inject(corbel::get("/export?all")).body().size() == 688'890);
}
