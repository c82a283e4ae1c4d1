#include "corbel/routing/list.hpp"

#include <doctest/doctest.h>

#include "corbel/testing/client.hpp"

using namespace corbel;

namespace {

struct book {
  int id = 0;
  std::string title;
};
constexpr auto describe(tag<book>) {
  using namespace rules;
  return object(field("id", &book::id), field("title", &book::title));
}
inline data::list_rules list_rules(tag<book>) {
  return {.filterable = {"title"}, .sortable = {"id", "title"}, .default_sort = "id:desc"};
}

struct film {
  int id = 0;
};
constexpr auto describe(tag<film>) {
  using namespace rules;
  return object(field("id", &film::id));
}
inline data::list_rules list_rules(tag<film>) {
  return {.filterable = {"year"}, .sortable = {"id"}, .default_sort = "name:asc"};
}

/// Tells what it was asked in the title of its only book; 45 books in all.
task<result<data::page_of<book>>> list_books(list_query<book> wanted) {
  if (wanted->page == 9) co_return unavailable("The library is closed.");
  data::page_of<book> page;
  std::string asked = wanted->sort.front().field + (wanted->sort.front().descending ? " down" : " up");
  for (const auto& each : wanted->conditions)
    asked += ", " + each.field + "=" + std::get<std::string>(each.operand);
  page.data.push_back({1, asked});
  page.meta = {static_cast<std::int64_t>(wanted->page), static_cast<std::int64_t>(wanted->limit), 45, 3};
  co_return page;
}

data::cursor_page_of<book> scan_books(list_query<book>) {
  data::cursor_page_of<book> page;
  page.meta.next_cursor = "abc";
  return page;
}

data::page_of<film> list_films(list_query<film>) {
  return {};
}

struct library {
  app server{{.log = logger()}};
  testing::client api{server};
  library() {
    server.get("/books", &list_books);
    server.get("/stretch", &scan_books);
  }
};

}  // namespace

TEST_CASE("a list query arrives read and checked, and its page names its neighbours") {
  library of;
  const auto first = of.api.get("/books").expect(status::ok);
  CHECK(first.body() ==
        R"({"data":[{"id":1,"title":"id down"}],"meta":{"page":1,"limit":20,"total":45,"totalPages":3}})");

  const auto second = of.api.get("/books?title=a%20b&sort=title&page=2&limit=15").expect(status::ok);
  CHECK(second.json<data::page_of<book>>().data.front().title == "title up, title=a b");
  second.expect_header("Link",
                       "</books?title=a%20b&sort=title&page=1&limit=15>; rel=\"first\", "
                       "</books?title=a%20b&sort=title&page=1&limit=15>; rel=\"prev\", "
                       "</books?title=a%20b&sort=title&page=3&limit=15>; rel=\"next\", "
                       "</books?title=a%20b&sort=title&page=3&limit=15>; rel=\"last\"");
  of.api.get("/stretch").expect(status::ok).expect_header("Link", "</stretch?cursor=abc>; rel=\"next\"");
}

TEST_CASE("every mistake in a list query is told") {
  library of;
  of.api.get("/books?id=1&sort=weight&limit=101&page=0")
      .expect(status::bad_request)
      .expect_code("validation_failed")
      .expect_violation("/id", "additionalProperties")
      .expect_violation("/sort", "enum")
      .expect_violation("/limit", "maximum")
      .expect_violation("/page", "minimum");
  of.api.get("/books?title=%zz").expect(status::bad_request).expect_code("malformed_query");
  of.api.get("/books?page=9").expect(status::service_unavailable).expect_code("unavailable");
}

TEST_CASE("list rules that name no field stop the start, all together") {
  app server({.log = logger()});
  server.get("/films", &list_films);
  try {
    (void)server.inject(get("/films"));
    FAIL("the app started");
  } catch (const wiring_error& e) {
    REQUIRE(e.mistakes().size() == 2);
    CHECK(e.mistakes()[0].find("GET /films: list_rules names \"year\" in filterable") != std::string::npos);
    CHECK(e.mistakes()[1].find("\"name\" in default_sort") != std::string::npos);
  }
}
