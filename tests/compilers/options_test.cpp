#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "corbel/client/client.hpp"
#include "corbel/data/migrations.hpp"
#include "corbel/data/postgres/identity.hpp"
#include "corbel/data/postgres/queries.hpp"
#include "corbel/data/postgres/replicas.hpp"
#include "corbel/data/repository.hpp"
#include "corbel/files/files.hpp"
#include "corbel/http/event_channel.hpp"
#include "corbel/http/upload.hpp"

namespace {

using namespace corbel;
using namespace std::chrono_literals;

/// Whether a temporary of T may stand in a `co_await` with g++ 12.
template <class T>
constexpr bool safe = !std::is_aggregate_v<T> || std::is_trivially_destructible_v<T>;

// What functions that are awaited take, besides what users define. A new one belongs here.
static_assert(safe<file_options>);
static_assert(safe<save_options>);
static_assert(safe<server_event>);
static_assert(safe<last_event_id>);
static_assert(safe<event_channel_settings>);
static_assert(safe<outbound>);
static_assert(safe<data::list_query>);
static_assert(safe<data::statement>);
static_assert(safe<data::parameter_list>);
static_assert(safe<data::trusted>);
static_assert(safe<data::transaction_mode>);
static_assert(safe<data::transaction_options>);
static_assert(safe<data::migration_set>);
static_assert(safe<postgres::identity>);
static_assert(safe<postgres::log_position>);
static_assert(safe<postgres::read_policy>);
static_assert(safe<postgres::text_search>);
static_assert(safe<postgres::refresh_schedule>);

#if CORBEL_REFUSES_TEMPORARIES
struct aggregate {
  std::string text;
};
struct with_constructor {
  explicit with_constructor(int) {}
  std::string text;
};
struct numbers {
  int n;
};
template <class F>
constexpr bool refused(F&&) {
  return detail::risky_temporary<F>;
}
template <class F>
struct holds {
  explicit holds(F f) : call(f) {}
  F call;
};

template <class T>
bool refused_in_a_template(T text) {
  return refused([text] { return text; });
}

static_assert(detail::risky_temporary<aggregate>);
static_assert(detail::risky_temporary<const aggregate>);
static_assert(!detail::risky_temporary<aggregate&>);
static_assert(!detail::risky_temporary<const aggregate&>);
static_assert(detail::risky_temporary<std::array<std::string, 2>>);
static_assert(!detail::risky_temporary<std::array<int, 2>>);
static_assert(!detail::risky_temporary<with_constructor>);
static_assert(!detail::risky_temporary<numbers>);
static_assert(!detail::risky_temporary<std::string>);
static_assert(!detail::risky_temporary<std::vector<aggregate>>);
static_assert(!detail::risky_temporary<std::unique_ptr<int>>);
static_assert(!detail::risky_temporary<int>);
#endif

}  // namespace

#if CORBEL_REFUSES_TEMPORARIES
TEST_CASE("lambdas are told from classes with constructors") {
  const std::string text = "x";
  int n = 0;
  CHECK(refused([text] { return text; }));
  CHECK(refused([text](std::vector<int>, const std::string& more) mutable { return text + more; }));
  CHECK(refused([text](auto&&...) { return text; }));
  CHECK(refused([text]() -> std::string { return text; }));
  CHECK(refused([inner = [text] { return text; }] { return inner(); }));
  CHECK(refused_in_a_template(text));
  CHECK_FALSE(refused([n] { return n; }));
  CHECK_FALSE(refused([&] { return text.size() + static_cast<unsigned>(n); }));
  CHECK_FALSE(refused([] { return 1; }));
  const auto named = [text] { return text; };
  CHECK_FALSE(refused(named));
  CHECK_FALSE(refused(holds(named)));
  CHECK_FALSE(refused(std::function<std::string()>(named)));
}
#endif

TEST_CASE("options are made in one expression") {
  const auto file = file_options().download("a.pdf").type("application/pdf").cache("no-store");
  CHECK(file.download_as == "a.pdf");
  CHECK(file.content_type == "application/pdf");
  CHECK(file.cache_control == "no-store");

  auto query = data::list_query().where("name", 1).paged(3, 50);
  CHECK(query.page == 3);
  CHECK(query.limit == 50);
  query.paged(1, 10).order_by("name");
  CHECK(query.page == 1);
  CHECK(query.conditions.size() == 1);

  const auto words =
      postgres::text_search("moon").in_column("words").in_language("simple").excerpt_of("body").limited_to(
          5, 10);
  CHECK(words.text == "moon");
  CHECK(words.vector == "words");
  CHECK(words.language == "simple");
  CHECK(words.highlight == "body");
  CHECK(words.limit == 5);
  CHECK(words.offset == 10);
  CHECK(postgres::text_search("moon").vector == "search");

  CHECK(postgres::refresh_schedule(5min).every == 5min);
  CHECK(postgres::refresh_schedule().every == 1min);
  CHECK(last_event_id("7").value == "7");
}
