// Many people of several tenants use the same few connections at once: nobody ever sees a row of another one,
// whatever fails, is cancelled or breaks meanwhile.

#include <cstdlib>
#include <random>
#include <thread>

#include "corbel/data/pipeline.hpp"
#include "data/postgres/support/proxy.hpp"
#include "data/postgres/support/side_by_side.hpp"
#include "data/postgres/support/tasks.hpp"

namespace {

constexpr int tenants = 8;

struct tally {
  std::atomic<std::int64_t> answered{0};
  std::atomic<std::int64_t> failed{0};
  std::atomic<std::int64_t> cancelled{0};
  std::atomic<std::int64_t> foreign{0};  // rows of somebody else, or rows seen as somebody else
};

struct note {
  int tenant = 0;
  std::string who;
  std::string claims;
};
constexpr auto describe(corbel::tag<note>) {
  using namespace corbel::rules;
  return object(field("tenant", &note::tenant), field("who", &note::who), field("claims", &note::claims));
}

std::string claims_of(int tenant) {
  return R"({"tenant":)" + std::to_string(tenant) + "}";
}

void make_notes(const data::database& db) {
  run(
      db.execute("do $$ begin if not exists (select from pg_roles where rolname = 'corbel_tenant') then "
                 "create role corbel_tenant; end if; end $$"));
  run(db.execute("create table notes (id serial primary key, tenant int not null)"));
  run(db.execute("insert into notes (tenant) select n % 8 from generate_series(0, 79) n"));
  run(db.execute("alter table notes enable row level security"));
  run(
      db.execute("create policy own on notes to corbel_tenant using "
                 "(tenant = (current_setting('request.jwt.claims')::json ->> 'tenant')::int)"));
  run(db.execute("grant all on notes to corbel_tenant"));
  run(db.execute("grant all on sequence notes_id_seq to corbel_tenant"));
}

void check(const std::vector<note>& rows, int tenant, tally* all) {
  for (const auto& row : rows)
    if (row.tenant != tenant || row.who != "corbel_tenant" || row.claims != claims_of(tenant)) ++all->foreign;
}

task<void> read_some(data::source on, int tenant, tally* all) {
  check(co_await on.query<note>(
            "select tenant, current_user as who, current_setting('request.jwt.claims') as claims "
            "from notes where id <= $1 order by id limit 20",
            1000),
        tenant, all);
}

task<void> several(data::transaction& tx, int tenant, bool fails, tally* all) {
  co_await read_some(tx, tenant, all);
  data::pipeline steps(tx);
  if (fails) steps.execute("insert into nowhere values (1)");
  steps.execute("insert into notes (tenant) values ($1)", tenant);
  const auto rows = steps.query<note>(
      "select tenant, current_user as who, current_setting('request.jwt.claims') as claims from notes limit "
      "20");
  co_await steps.run();
  check(rows.get(), tenant, all);
  throw std::domain_error("nothing is kept");
}

/// The first statement, with which the identity's settings travel, cannot even be prepared.
task<void> fail_at_once(data::transaction& tx, int tenant, tally* all) {
  data::pipeline steps(tx);
  steps.execute("insert into nowhere values (1)");
  const auto rows = steps.query<note>(
      "select tenant, current_user::text as who, coalesce(current_setting('request.jwt.claims', true), '') "
      "as claims "
      "from notes limit 20");
  co_await steps.run();
  check(rows.get(), tenant, all);
}

/// As nobody in particular: the owner, who sees all.
task<void> read_as_owner(data::source on, tally* all) {
  const auto who = co_await on.query_one<std::string>(
      "select current_user || ' ' || coalesce(current_setting('request.jwt.claims', true), '')");
  if (who != "corbel ") ++all->foreign;
}

task<void> request(postgres::database db, int tenant, unsigned what, tally* all) {
  const auto mine = db.as(postgres::identity("corbel_tenant").claims(claims_of(tenant)));
  switch (what % 10) {
    case 0: co_await mine.transact(&several, tenant, false, all); break;
    case 1: co_await mine.transact(&several, tenant, true, all); break;
    case 2: co_await mine.transact(&fail_at_once, tenant, all); break;
    case 3: (void)co_await mine.query_one<int>("select 1 / (tenant - $1) from notes limit 1", tenant); break;
    // Another's row: refused by the policy.
    case 4: co_await mine.execute("insert into notes (tenant) values ($1)", (tenant + 1) % tenants); break;
    case 5:
    case 6: co_await read_as_owner(db, all); break;
    default: co_await read_some(mine, tenant, all);
  }
}

task<void> count(task<void> work, tally* all) {
  try {
    co_await std::move(work);
    ++all->answered;
  } catch (const corbel::failure&) {
    ++all->failed;
  } catch (const std::domain_error&) {
    ++all->answered;
  } catch (...) {
    ++all->cancelled;
  }
}

/// `users` at a time, each with a request of a random kind; some leave before it is answered.
void use(const postgres::database& db, int requests, unsigned seed, tally* all) {
  std::mt19937 random(seed);
  while (requests > 0) {
    side_by_side users;
    const int now = std::min(requests, 400);
    for (int i = 0; i < now; ++i) {
      auto& one = users.start(count(
          request(db, static_cast<int>(random() % tenants), static_cast<unsigned>(random()), all), all));
      if (random() % 16 == 0) {
        users.run_for(std::chrono::milliseconds(random() % 3));
        one.stop();
      }
      if (i % 32 == 0) users.run_for(1ms);
    }
    if (!users.run_until([&] { return users.running() == 0; }, 60s)) ++all->foreign;
    requests -= now;
  }
}

int requests_in_all() {
  const char* stress = std::getenv("CORBEL_STRESS");
  return stress && std::string_view(stress) == "1" ? 1'000'000 : 20'000;
}

}  // namespace

TEST_CASE("nobody sees a row of another tenant, whatever happens meanwhile") {
  const temporary_postgres own;
  make_notes(*own);
  proxy between(own.url());
  const postgres::database db(postgres::open(between.in(own.url()) + "?connections=3&checkout_timeout=10s"));
  tally all;
  const int requests = requests_in_all();
  const auto since = std::chrono::steady_clock::now();
  std::atomic<int> left = 4;
  std::vector<std::thread> loops;
  for (unsigned l = 0; l < 4; ++l)
    loops.emplace_back([&, l] {
      use(db, requests / 4, l + 1, &all);
      --left;
    });
  while (left > 0) {
    std::this_thread::sleep_for(250ms);
    between.cut();
  }
  for (auto& l : loops) l.join();
  CHECK(all.foreign == 0);
  CHECK(all.answered + all.failed + all.cancelled == requests);
  CHECK(all.answered > requests / 3);
  CHECK(all.failed > requests / 10);
  CHECK(all.cancelled > 0);
  // Nothing was kept of what was refused or undone.
  CHECK(one<int>(*own, "select count(*) from notes") == 80);
  MESSAGE(
      requests, " requests in ",
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - since).count(),
      " ms: answered ", all.answered.load(), ", failed ", all.failed.load(), ", cancelled ",
      all.cancelled.load(), ", foreign rows ", all.foreign.load());
  db.stop();
}
