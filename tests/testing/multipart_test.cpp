#include "corbel/testing/multipart.hpp"

#include <doctest/doctest.h>

#include "corbel/routing/multipart.hpp"
#include "corbel/testing/client.hpp"

using namespace corbel;

namespace {

struct card {
  std::string text;
  upload photo;
  std::vector<upload> more;
};
constexpr auto describe(tag<card>) {
  using namespace rules;
  return object(field("text", &card::text), field("photo", &card::photo),
                field("more", &card::more, defaulted()));
}

task<std::string> tell(multipart<card> in) {
  co_return in->text + '|' + in->photo.filename() + '|' + in->photo.content_type() + '|' +
      std::to_string(in->photo.size()) + '|' + std::to_string(in->more.size());
}

}  // namespace

TEST_CASE("a form with files arrives as the handler takes it") {
  app server{{.log = logger()}};
  server.post("/cards", &tell);
  testing::client api(server);
  auto form = testing::multipart_form()
                  .field("text", "--corbel-form-1\r\nand corbel-form-2")
                  .file("photo", "a \"b\".png", std::string(300, '\0'), "image/png");
  CHECK(api.post("/cards").multipart(form).expect(status::ok).body() ==
        "--corbel-form-1\r\nand corbel-form-2|a \"b\".png|image/png|300|0");
  form.file("more", "1", "").file("more", "2", "x");
  CHECK(server.inject(post("/cards").body(form.body(), form.content_type())).body().ends_with("|300|2"));
  CHECK(form.content_type() == "multipart/form-data; boundary=corbel-form-3");
  api.post("/cards").multipart(testing::multipart_form()).expect(status::bad_request);
}
