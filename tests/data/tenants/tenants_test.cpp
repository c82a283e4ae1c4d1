// Tenants mixed on few connections, with failures, cancellations and killed backends among them.
// CORBEL_STRESS=1000000 makes it as many requests; 20,000 otherwise.
#include <doctest/doctest.h>

#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <random>
#include <thread>

#include "corbel/data/postgres/database.hpp"
#include "corbel/data/postgres/postgres.hpp"
#include "corbel/runtime/event_loop.hpp"
#include "corbel/testing/postgres.hpp"
#include "corbel/testing/run.hpp"

namespace asio = boost::asio;
namespace data = corbel::data;
namespace postgres = corbel::postgres;
using corbel::task;
using corbel::testing::run;
using namespace std::chrono_literals;

namespace {

constexpr int tenants = 8;
constexpr int rows_each = 20;

std::int64_t requests_wanted() {
  const char* text = std::getenv("CORBEL_STRESS");
  std::int64_t n = 0;
  if (text) std::from_chars(text, text + std::strlen(text), n);
  return n > 0 ? n : 20'000;
}

postgres::identity tenant(int n) {
  return postgres::identity("corbel_tenant").claims(R"({"tenant":)" + std::to_string(n) + "}");
}

task<void> prepare(data::database db) {
  co_await db.execute("do $$ begin create role corbel_tenant; exception when others then null; end $$");
  co_await db.execute("create table items (tenant int not null, n int not null)");
  co_await db.execute(
      "insert into items select t, n from generate_series(0, $1::int - 1) t, generate_series(1, $2::int) n",
      tenants, rows_each);
  co_await db.execute("alter table items enable row level security");
  co_await db.execute(
      "create policy own_items on items to corbel_tenant "
      "using (tenant = (current_setting('request.jwt.claims', true)::json ->> 'tenant')::int)");
  co_await db.execute("grant select, insert, delete on items to corbel_tenant");
}

struct counters {
  std::atomic<std::int64_t> left{0};
  std::atomic<std::int64_t> seen{0};     // rows of the tenant who asked
  std::atomic<std::int64_t> foreign{0};  // rows of another: none, ever
  std::atomic<std::int64_t> missing{0};  // own rows that were not there
  std::atomic<std::int64_t> lost{0};     // requests that a killed connection took along
  std::atomic<std::int64_t> cancelled{0};
  std::atomic<std::int64_t> refused{0};    // writes that a policy refused
  std::atomic<std::int64_t> surprises{0};  // errors of a kind that was not asked for
  std::mutex mutex;
  std::string notes;  // of the first surprises

  void note(const corbel::error& e) {
    const std::lock_guard lock(mutex);
    notes += e.code() + ": " + (e.cause().empty() ? e.message() : e.cause()) + "\n";
  }
};

task<void> read_items(data::source mine, int who, counters* count) {
  const auto found = co_await mine.query<int>("select tenant from items");
  for (const int one : found) ++(one == who ? count->seen : count->foreign);
  if (found.size() < static_cast<std::size_t>(rows_each)) ++count->missing;
}

task<corbel::result<int>> write_and_undo(data::transaction& tx, int who, counters* count) {
  co_await tx.execute("insert into items values ($1, 1000)", who);
  co_await read_items(tx, who, count);
  co_return corbel::unprocessable("undone");
}

task<void> one_request(postgres::database pg, int who, int action, counters* count) {
  const auto mine = pg.as(tenant(who));
  if (action < 70) {
    co_await read_items(mine, who, count);
  } else if (action < 80) {
    (void)co_await mine.transact(&write_and_undo, who, count);
  } else if (action < 85) {
    // Fails in the middle of what its identity began.
    (void)co_await mine.query<int>("select 1 / (tenant - $1) from items", who);
  } else if (action < 90) {
    co_await mine.execute("insert into items values ($1, 1)", (who + 1) % tenants);
  } else if (action < 95) {
    (void)co_await mine.query<std::string>("select pg_sleep(0.005)::text from items limit 1");
  } else {
    // Ourselves: no tenant's role or claims are left on the connection.
    const auto clean = co_await pg.query_one<int>(
        "select count(*) from (select current_setting('request.jwt.claims', true) as claims) as s "
        "where coalesce(claims, '') <> '' or current_user = 'corbel_tenant'");
    if (clean != 0) ++count->foreign;
  }
}

/// Cancels what it is given after a moment, or lets it end.
task<void> guarded(postgres::database pg, int who, int action, bool cancel, int after_us, counters* count) {
  if (!cancel) {
    co_await one_request(pg, who, action, count);
    co_return;
  }
  const auto executor = co_await asio::this_coro::executor;
  auto signal = std::make_shared<asio::cancellation_signal>();
  auto done = std::make_shared<bool>(false);
  asio::co_spawn(
      executor, one_request(pg, who, action, count),
      asio::bind_cancellation_slot(signal->slot(), [done, signal](std::exception_ptr) { *done = true; }));
  asio::steady_timer timer(executor, std::chrono::microseconds(after_us));
  co_await timer.async_wait(asio::use_awaitable);
  if (!*done) {
    ++count->cancelled;
    signal->emit(asio::cancellation_type::terminal);
  }
  while (!*done) {
    timer.expires_after(1ms);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

task<void> work(postgres::database pg, unsigned seed, counters* count) {
  std::minstd_rand random(seed);
  const auto below = [&](unsigned n) { return static_cast<int>(random() % n); };
  while (count->left.fetch_sub(1) > 0) {
    const int who = below(tenants);
    const int action = below(100);
    const bool cancel = below(20) == 0;
    const int after = below(3000);
    try {
      co_await guarded(pg, who, action, cancel, after, count);
    } catch (const corbel::failure& f) {
      const auto kind = f.error().kind();
      const bool divided = action >= 80 && action < 85 && kind == corbel::error_kind::malformed;
      const bool denied = action >= 85 && action < 90 && f.error().code() == "row_denied";
      if (kind == corbel::error_kind::unavailable)
        ++count->lost;
      else if (denied)
        ++count->refused;
      else if (!divided && ++count->surprises < 5)
        count->note(f.error());
    }
  }
}

/// Kills a connection of the database now and then, in whatever it does.
task<void> kill_some(data::database db, const std::atomic<bool>* stop) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  while (!*stop) {
    timer.expires_after(150ms);
    co_await timer.async_wait(asio::use_awaitable);
    co_await db.query<std::int64_t>(
        "select count(pg_terminate_backend(pid)) from (select pid from pg_stat_activity where datname = "
        "current_database() and pid <> pg_backend_pid() and application_name = 'tenants' order by random() "
        "limit 1) as one");
  }
}

}  // namespace

TEST_CASE("tenants on shared connections never see each other's rows") {
  const corbel::testing::temporary_postgres own;
  run(prepare(*own));
  const auto separator = own.url().find('?') == std::string::npos ? "?" : "&";
  const auto db = postgres::open(own.url() + separator + "application_name=tenants&connections=3");
  const postgres::database pg(db);
  counters count;
  count.left = requests_wanted();

  std::atomic<bool> stop = false;
  std::thread killer([&] { run(kill_some(*own, &stop)); });
  std::vector<std::thread> loops;
  for (unsigned l = 0; l < 2; ++l)
    loops.emplace_back([&, l] {
      corbel::event_loop loop;
      int running = 24;
      for (unsigned w = 0; w < 24; ++w)
        asio::co_spawn(loop.context(), work(pg, l * 100 + w + 1, &count), [&](std::exception_ptr e) {
          if (e) ++count.surprises;
          if (--running == 0) loop.stop();
        });
      loop.run();
    });
  for (auto& one : loops) one.join();
  stop = true;
  killer.join();
  db.stop();

  CHECK(count.foreign == 0);
  CHECK(count.missing == 0);
  CAPTURE(count.notes);
  CHECK(count.surprises == 0);
  // Or it has not tried what it says it tries.
  CHECK(count.seen > requests_wanted());
  CHECK(count.cancelled > 0);
  CHECK(count.refused > 0);
  MESSAGE("rows seen: " << count.seen.load() << ", foreign: " << count.foreign.load() << ", cancelled: "
                        << count.cancelled.load() << ", lost with a killed connection: " << count.lost.load()
                        << ", refused: " << count.refused.load());
  const auto kept = run(own->query_one<int>("select count(*) from items"));
  CHECK(kept == tenants * rows_each);
}
