#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "corbel/routing/conditional.hpp"
#include "corbel/routing/offer.hpp"
#include "corbel/routing/with.hpp"
#include "routing/bare.hpp"

namespace {

using namespace corbel;

struct page {
  std::string text;
  std::int64_t version = 1;
};
constexpr auto describe(tag<page>) {
  using namespace corbel::rules;
  return object(field("text", &page::text), field("version", &page::version, defaulted()));
}

}  // namespace

TEST_CASE("a reply in several forms goes out in the one that is wanted") {
  app a(bare());
  int made = 0;
  a.get("/", [&made] {
    return offer()
        .json(page{"hi"})
        .text("hi")
        .html("<p>hi")
        .as("text/csv",
            [&made] {
              ++made;
              return std::string("text\r\nhi\r\n");
            })
        .status(status::accepted);
  });
  a.get("/plain", [] { return std::string("x"); });
  const auto ask = [&](const std::string& accept) { return a.inject(get("/").header("Accept", accept)); };
  CHECK(a.inject(get("/")).body() == R"({"text":"hi","version":1})");
  CHECK(a.inject(get("/")).code() == 202);
  CHECK(ask("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8").header("Content-Type") ==
        "text/html; charset=utf-8");
  CHECK(ask("text/*").body() == "hi");
  CHECK(made == 0);
  const auto csv = ask("text/csv");
  CHECK(csv.body() == "text\r\nhi\r\n");
  CHECK(csv.header("Content-Type") == "text/csv");
  CHECK(csv.header("Vary") == "Accept");
  CHECK(made == 1);
  const auto none = ask("image/png");
  CHECK(none.code() == 406);
  CHECK(none.header("Vary") == "Accept");
  CHECK(nlohmann::json::parse(none.body())["details"]["available"] ==
        "application/json, text/plain; charset=utf-8, text/html; charset=utf-8, text/csv");
}

TEST_CASE("a tagged value is sent once, and then only when it has changed") {
  app a(bare());
  page current{"hi", 7};
  a.get("/", [&] {
    return with_etag(current, current.version).last_modified(timestamp(std::chrono::seconds(784'111'777)));
  });
  a.put("/", [&](preconditions when) -> result<tagged<page>> {
    if (auto ok = when.check(entity_tag::of_version(current.version)); !ok) return std::move(ok).error();
    ++current.version;
    return with_etag(current, current.version);
  });
  a.patch("/", [&](preconditions when) -> result<void> {
    return when.require(entity_tag::of_version(current.version));
  });
  const auto first = a.inject(get("/"));
  CHECK(first.code() == 200);
  CHECK(first.header("ETag") == "\"v7\"");
  CHECK(first.header("Last-Modified") == "Sun, 06 Nov 1994 08:49:37 GMT");
  const auto again = a.inject(get("/").header("If-None-Match", "\"v7\""));
  CHECK(again.code() == 304);
  CHECK(again.body().empty());
  CHECK(again.header("ETag") == "\"v7\"");
  CHECK(a.inject(get("/").header("If-Match", "\"v6\"")).code() == 412);

  CHECK(a.inject(put("/").header("If-Match", "\"v6\"")).code() == 412);
  CHECK(current.version == 7);
  const auto changed = a.inject(put("/").header("If-Match", "\"v7\""));
  CHECK(changed.code() == 200);
  CHECK(changed.header("ETag") == "\"v8\"");
  CHECK(a.inject(get("/").header("If-None-Match", "\"v7\"")).code() == 200);
  CHECK(a.inject(put("/")).code() == 200);
  CHECK(a.inject(put("/").header("If-None-Match", "*")).code() == 412);

  CHECK(a.inject(patch("/")).code() == 428);
  CHECK(a.inject(patch("/").header("If-Match", "\"v8\"")).code() == 412);
  CHECK(a.inject(patch("/").header("If-Match", "\"v9\"")).code() == 204);
}

TEST_CASE("a reply with fields of its own, unless it is an error") {
  app a(bare());
  a.get("/", [] {
    return with(page{"hi"}).header("X-Total", "1").cookie(new_cookie("a", "b")).forget_cookie("old");
  });
  a.get("/varied", [] { return with(offer().json(page{"hi"})).vary("Origin"); });
  a.get("/none", [] { return with().cookie(new_cookie("a", "b")); });
  a.get("/refused", [] { return with(result<page>(not_found("no"))).cookie(new_cookie("a", "b")); });
  a.get("/hostile", [] { return with(page{}).header("X-A", "a\r\nb"); });
  const auto out = a.inject(get("/"));
  CHECK(out.body() == R"({"text":"hi","version":1})");
  CHECK(out.header("X-Total") == "1");
  CHECK(out.header_text().find("Set-Cookie: a=b; Path=/; Secure; HttpOnly; SameSite=Lax\r\n") !=
        std::string::npos);
  CHECK(out.header_text().find("Set-Cookie: old=; Max-Age=0") != std::string::npos);
  CHECK(a.inject(get("/varied")).header("Vary") == "Accept, Origin");
  CHECK(a.inject(get("/none")).code() == 204);
  CHECK(a.inject(get("/none")).header("Set-Cookie"));
  CHECK(a.inject(get("/refused")).code() == 404);
  CHECK_FALSE(a.inject(get("/refused")).header("Set-Cookie"));
  CHECK(a.inject(get("/hostile")).code() == 500);
}
