#include <algorithm>
#include <random>
#include <stdexcept>

#include "backends.hpp"
#include "corbel/base/json/writer.hpp"
#include "corbel/data/repository.hpp"
#include "expect.hpp"
#include "project.hpp"

namespace data = corbel::data;
using corbel::task;
using corbel::testing::run;
using data::comparison;
using data::query_pair;

namespace {

const data::list_rules rules{
    .filterable = {"status", "priority", "dueDate", "name", "pinned", "tags", "budget"},
    .sortable = {"createdAt", "name", "priority", "dueDate", "score", "description"},
    .default_sort = "createdAt:desc"};

corbel::result<data::list_query> parse(std::vector<query_pair> pairs,
                                       const data::list_rules& allowed = rules) {
  return data::parse_list_query<project>(pairs, allowed);
}

std::vector<std::pair<std::string, std::string>> broken(std::vector<query_pair> pairs) {
  const auto read = parse(std::move(pairs));
  std::vector<std::pair<std::string, std::string>> all;
  if (read) return all;
  CHECK(read.error().kind() == corbel::error_kind::invalid);
  for (const auto& v : read.error().violations()) {
    CHECK(v.in == "query");
    all.emplace_back(v.path, v.rule);
  }
  return all;
}

using pairs = std::vector<std::pair<std::string, std::string>>;

}  // namespace

TEST_CASE("a list query is read with its defaults") {
  const auto plain = parse({});
  REQUIRE(plain);
  CHECK(plain->page == 1);
  CHECK(plain->limit == 20);
  REQUIRE(plain->sort.size() == 1);
  CHECK(plain->sort[0].field == "createdAt");
  CHECK(plain->sort[0].descending);

  const auto full = parse({{"status", "active"},
                           {"dueDate[lt]", "2026-12-31"},
                           {"name[contains]", "50%"},
                           {"sort", "priority:desc,name"},
                           {"page", "3"},
                           {"limit", "100"}});
  REQUIRE(full);
  CHECK(full->page == 3);
  CHECK(full->limit == 100);
  REQUIRE(full->conditions.size() == 3);
  CHECK(full->conditions[0].operand == data::value("active"));
  CHECK(full->conditions[1].how == comparison::less);
  CHECK(full->conditions[1].operand == data::value("2026-12-31"));
  CHECK(full->conditions[2].how == comparison::contains);
  REQUIRE(full->sort.size() == 2);
  CHECK(full->sort[1].field == "name");
  CHECK_FALSE(full->sort[1].descending);
}

TEST_CASE("every mistake of a list query is reported") {
  CHECK(broken({{"nope", "1"}}) == pairs{{"/nope", "additionalProperties"}});
  CHECK(broken({{"score", "1"}}) == pairs{{"/score", "additionalProperties"}});
  CHECK(broken({{"status", "gone"}}) == pairs{{"/status", "type"}});
  CHECK(broken({{"priority", "x"}, {"pinned", "yes"}}) == pairs{{"/priority", "type"}, {"/pinned", "type"}});
  CHECK(broken({{"tags", "a"}}) == pairs{{"/tags", "type"}});
  CHECK(broken({{"pinned[lt]", "1"}}) == pairs{{"/pinned[lt]", "type"}});
  CHECK(broken({{"priority[contains]", "1"}}) == pairs{{"/priority[contains]", "type"}});
  CHECK(broken({{"sort", "budget"}}) == pairs{{"/sort", "enum"}});
  CHECK(broken({{"sort", "name:down"}}) == pairs{{"/sort", "enum"}});
  CHECK(broken({{"sort", ""}}) == pairs{{"/sort", "enum"}});
  CHECK(broken({{"sort", "name,name:desc"}}) == pairs{{"/sort", "uniqueItems"}});
  CHECK(broken({{"sort", "name; drop table projects"}}) == pairs{{"/sort", "enum"}});
  CHECK(broken({{"limit", "0"}}) == pairs{{"/limit", "minimum"}});
  CHECK(broken({{"limit", "101"}}) == pairs{{"/limit", "maximum"}});
  CHECK(broken({{"limit", "ten"}}) == pairs{{"/limit", "minimum"}});
  CHECK(broken({{"page", "0"}}) == pairs{{"/page", "minimum"}});
  CHECK(broken({{"page", "-1"}}) == pairs{{"/page", "minimum"}});
  CHECK(broken({{"page", "99999999999999999999"}}).size() == 1);
  CHECK(broken({{"page", "10001"}}) == pairs{{"/page", "maximum"}});
  CHECK(broken({{"page", "1 "}}) == pairs{{"/page", "minimum"}});
  CHECK(broken({{"status", "active"}, {"status", "archived"}}) == pairs{{"/status", "unique"}});
  CHECK(broken({{"cursor", "x"}}) == pairs{{"/cursor", "additionalProperties"}});
  CHECK(broken({{"a/b~c", "x"}}) == pairs{{"/a~1b~0c", "additionalProperties"}});
  CHECK_THROWS_AS((void)parse({}, data::list_rules{.filterable = {"misspelt"}}), std::logic_error);
}

TEST_CASE("a page is JSON of exactly this shape, and has links") {
  data::page_of<int> page{{1, 2}, {1, 20, 57, 3}};
  CHECK(corbel::json::to_text(page) ==
        R"({"data":[1,2],"meta":{"page":1,"limit":20,"total":57,"totalPages":3}})");
  const std::vector<query_pair> query{{"status", "a b"}, {"page", "2"}, {"limit", "20"}};
  page.meta.page = 2;
  CHECK(data::link_header("/api/v1/projects", query, page.meta) ==
        "</api/v1/projects?status=a%20b&page=1&limit=20>; rel=\"first\", "
        "</api/v1/projects?status=a%20b&page=1&limit=20>; rel=\"prev\", "
        "</api/v1/projects?status=a%20b&page=3&limit=20>; rel=\"next\", "
        "</api/v1/projects?status=a%20b&page=3&limit=20>; rel=\"last\"");
  CHECK(data::link_header("/p", {}, data::page_meta{1, 20, 0, 0}) ==
        "</p?page=1>; rel=\"first\", </p?page=1>; rel=\"last\"");
  CHECK(data::link_header("/p", {}, data::cursor_meta{20, "abc"}) == "</p?cursor=abc>; rel=\"next\"");
  CHECK(data::link_header("/p", {}, data::cursor_meta{20, {}}).empty());
}

namespace {

/// What a list should give, worked out in memory.
class oracle {
 public:
  explicit oracle(std::vector<project> rows) : rows_(std::move(rows)) {}

  std::vector<project> all(const data::list_query& query) const {
    std::vector<project> left;
    for (const auto& row : rows_)
      if (!row.deleted_at && std::all_of(query.conditions.begin(), query.conditions.end(),
                                         [&](const data::condition& c) { return holds(row, c); }))
        left.push_back(row);
    auto order = query.sort;
    order.push_back({"id", !query.sort.empty() && query.sort.back().descending});
    std::sort(left.begin(), left.end(), [&](const project& a, const project& b) {
      for (const auto& by : order) {
        const auto x = field(a, by.field);
        const auto y = field(b, by.field);
        if (x != y) return by.descending ? y < x : x < y;
      }
      return false;
    });
    return left;
  }

 private:
  /// NULL is the least, as it is the first alternative.
  static data::value field(const project& row, std::string_view name) {
    const auto* f = corbel::type_of<project>().object->find(name);
    return data::encode(*f->type, f->member_of(&row));
  }
  static bool holds(const project& row, const data::condition& c) {
    const auto v = field(row, c.field);
    if (data::is_null(c.operand)) return c.how == comparison::equal ? data::is_null(v) : !data::is_null(v);
    switch (c.how) {
      case comparison::equal: return v == c.operand;
      case comparison::not_equal: return v != c.operand;
      case comparison::contains:
        return lower(std::get<std::string>(v)).find(lower(std::get<std::string>(c.operand))) !=
               std::string::npos;
      case comparison::less: return !data::is_null(v) && v < c.operand;
      case comparison::at_most: return !data::is_null(v) && v <= c.operand;
      case comparison::more: return v > c.operand;
      case comparison::at_least: return v >= c.operand;
      case comparison::has: return false;  // list_members_test.cpp asks for that
    }
    return false;
  }
  static std::string lower(std::string text) {
    for (auto& c : text)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
  }
  std::vector<project> rows_;
};

struct dice {
  std::mt19937 engine{20260102};
  int below(int n) { return static_cast<int>(engine() % static_cast<unsigned>(n)); }
};

/// Few distinct values, so that ties, NULLs and wildcards are common.
project random_project(dice& d, int n) {
  static const char* words[] = {"a", "A", "%", "_b", "c\\", "'", "ab", "B%"};
  project p;
  p.name = std::string(words[d.below(8)]).append(words[d.below(8)]).append(std::to_string(n));
  if (d.below(3) != 0) p.description = words[d.below(8)];
  p.status = d.below(2) != 0 ? project_status::active : project_status::archived;
  p.priority = d.below(6);
  p.score = d.below(4) / 2.0;
  p.pinned = d.below(2) != 0;
  if (d.below(3) != 0)
    p.due_date = corbel::date{std::chrono::sys_days{std::chrono::days{20000 + d.below(5)}}};
  return p;
}

data::list_query random_query(dice& d) {
  data::list_query query;
  static const char* sortable[] = {"name", "priority", "dueDate", "score", "description", "createdAt"};
  const auto how = [&] { return static_cast<comparison>(d.below(6)); };
  if (d.below(3) == 0) query.where("status", project_status::active, static_cast<comparison>(d.below(2)));
  if (d.below(3) == 0) query.where("priority", d.below(6), how());
  if (d.below(3) == 0)
    query.where("dueDate", corbel::date{std::chrono::sys_days{std::chrono::days{20000 + d.below(5)}}}, how());
  if (d.below(6) == 0) query.where("dueDate", nullptr, static_cast<comparison>(d.below(2)));
  if (d.below(4) == 0) {
    static const char* parts[] = {"%", "_", "\\", "a", "'", "b%"};
    query.where("name", parts[d.below(6)], comparison::contains);
  }
  const int keys = d.below(3);
  for (int i = 0; i < keys; ++i) {
    const std::string field = sortable[d.below(6)];
    if (std::none_of(query.sort.begin(), query.sort.end(), [&](const auto& s) { return s.field == field; }))
      query.order_by(field, d.below(2) != 0);
  }
  query.limit = static_cast<std::size_t>(1 + d.below(12));
  return query;
}

/// One unusual row in 20 is removed.
std::vector<project> fill(const data::repository<project>& projects, dice& d) {
  std::vector<project> rows;
  for (int n = 0; n < 120; ++n) rows.push_back(random_project(d, n));
  rows = std::move(run(projects.insert_many(std::move(rows)))).value();
  for (auto& row : rows)
    if (d.below(20) == 0) {
      run(projects.remove(row.id)).value();
      row.deleted_at = row.created_at;
    }
  return rows;
}

}  // namespace

namespace {

/// All rounds on one event loop: a loop has connections of its own.
task<void> compare(data::repository<project> projects, const oracle* known, dice* d) {
  for (int round = 0; round < 300; ++round) {
    CAPTURE(round);
    auto query = random_query(*d);
    const auto expected = known->all(query);
    const auto count = co_await projects.count(query);
    CHECK(count == static_cast<std::int64_t>(expected.size()));

    std::vector<project> paged;
    for (query.page = 1;; ++query.page) {
      const auto page = co_await projects.list(query);
      CHECK(page.meta.total == static_cast<std::int64_t>(expected.size()));
      CHECK(page.meta.total_pages ==
            static_cast<std::int64_t>((expected.size() + query.limit - 1) / query.limit));
      if (page.data.empty()) break;
      paged.insert(paged.end(), page.data.begin(), page.data.end());
    }
    CHECK((paged == expected));

    std::vector<project> scanned;
    for (bool more = true; more;) {
      const auto stretch = co_await projects.scan(query);
      REQUIRE(stretch);
      CHECK(stretch->data.size() <= query.limit);
      scanned.insert(scanned.end(), stretch->data.begin(), stretch->data.end());
      query.cursor = stretch->meta.next_cursor;
      // A wrong place could go round in circles.
      REQUIRE(scanned.size() <= expected.size());
      more = query.cursor.has_value();
    }
    CHECK((scanned == expected));
  }
}

}  // namespace

TEST_CASE("pages and cursors give the rows that an oracle gives") {
  backends::each([](const data::database& db) {
    run(db.execute(create_projects));
    const data::repository<project> projects(db);
    dice d;
    const oracle known(fill(projects, d));
    run(compare(projects, &known, &d));
  });
}

TEST_CASE("a cursor that was tampered with is the client's mistake") {
  backends::each([](const data::database& db) {
    run(db.execute(create_projects));
    const data::repository<project> projects(db);
    dice d;
    fill(projects, d);
    const auto query = data::list_query().order_by("dueDate").order_by("name");
    const auto first = run(projects.scan(query));
    REQUIRE(first);
    REQUIRE(first->meta.next_cursor);
    const std::string good = *first->meta.next_cursor;
    const auto refused = [&](const std::string& cursor, data::list_query other) {
      other.cursor = cursor;
      const auto read = run(projects.scan(other));
      return !read && read.error().kind() == corbel::error_kind::invalid;
    };
    CHECK_FALSE(refused(good, query));
    CHECK(refused(good, data::list_query().order_by("name")));
    CHECK(refused("x", query));
    CHECK(refused(good + "A", query));
    CHECK(refused(good.substr(0, good.size() - 1), query));
    CHECK(refused("' or 1=1 --", query));
    CHECK(refused(std::string(100'000, 'A'), query));
    for (std::size_t i = 0; i < good.size(); ++i) {
      auto bad = good;
      bad[i] = bad[i] == 'A' ? 'B' : 'A';
      CHECK(refused(bad, query));
    }
    for (int round = 0; round < 500; ++round) {
      std::string noise;
      for (int i = d.below(60); i >= 0; --i) noise += static_cast<char>(d.below(256));
      CHECK(refused(noise, query));
    }
  });
}
