// Many people of several tenants use the same few connections at once: nobody ever sees a row of another one,
// whatever fails, is cancelled, killed or breaks meanwhile. CORBEL_STRESS=1000000 makes it as many requests,
// as does CORBEL_STRESS=1; 20,000 otherwise.

#include <charconv>
#include <cstdlib>
#include <mutex>
#include <random>
#include <stdexcept>
#include <thread>

#include "corbel/data/pipeline.hpp"
#include "data/postgres/support/proxy.hpp"
#include "data/postgres/support/side_by_side.hpp"
#include "data/postgres/support/tasks.hpp"

namespace {

constexpr int tenants = 8;
constexpr int rows_each = 10;

struct tally {
  std::atomic<std::int64_t> answered{0};
  std::atomic<std::int64_t> failed{0};
  std::atomic<std::int64_t> cancelled{0};
  std::atomic<std::int64_t> seen{0};       // rows of the tenant who asked
  std::atomic<std::int64_t> foreign{0};    // rows of somebody else, or rows seen as somebody else
  std::atomic<std::int64_t> missing{0};    // answers without all of the tenant's own rows
  std::atomic<std::int64_t> lost{0};       // requests that a broken connection took along
  std::atomic<std::int64_t> refused{0};    // writes that a policy refused
  std::atomic<std::int64_t> surprises{0};  // errors that were not asked for, or did not come
  std::mutex mutex;
  std::string notes;  // of the first surprises

  void surprise(const std::string& what) {
    if (++surprises > 5) return;
    const std::lock_guard lock(mutex);
    notes += what + "\n";
  }
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
  // Another test may make the role at the same moment.
  run(db.execute("do $$ begin create role corbel_tenant; exception when others then null; end $$"));
  run(db.execute("create table notes (id serial primary key, tenant int not null)"));
  run(
      db.execute("insert into notes (tenant) select t from generate_series(0, $1::int - 1) t, "
                 "generate_series(1, $2::int)",
                 tenants, rows_each));
  run(db.execute("alter table notes enable row level security"));
  run(
      db.execute("create policy own on notes to corbel_tenant using "
                 "(tenant = (current_setting('request.jwt.claims')::json ->> 'tenant')::int)"));
  run(db.execute("grant all on notes to corbel_tenant"));
  run(db.execute("grant all on sequence notes_id_seq to corbel_tenant"));
}

void check(const std::vector<note>& rows, int tenant, tally* all) {
  for (const auto& row : rows)
    ++(row.tenant == tenant && row.who == "corbel_tenant" && row.claims == claims_of(tenant) ? all->seen
                                                                                             : all->foreign);
  if (rows.size() < rows_each) ++all->missing;
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

task<corbel::result<int>> write_and_undo(data::transaction& tx, int tenant, tally* all) {
  co_await tx.execute("insert into notes (tenant) values ($1)", tenant);
  co_await read_some(tx, tenant, all);
  co_return corbel::unprocessable("undone");
}

/// As nobody in particular: no tenant's role or claims are left on the connection.
task<void> read_as_owner(data::source on, tally* all) {
  const auto clean = co_await on.query_one<bool>(
      "select current_user <> 'corbel_tenant' and "
      "coalesce(current_setting('request.jwt.claims', true), '') = ''");
  if (clean != true) ++all->foreign;
}

enum class kind : unsigned {
  undone_by_exception,
  fails_in_the_middle,
  fails_at_once,
  divides_by_zero,
  writes_for_another,
  undone_by_result,
  waits,
  as_owner,
  as_owner_too,
  reads,
};
constexpr unsigned kinds = 12;  // the rest reads

task<void> request(postgres::database db, int tenant, kind what, tally* all) {
  const auto mine = db.as(postgres::identity("corbel_tenant").claims(claims_of(tenant)));
  switch (what) {
    case kind::undone_by_exception: co_await mine.transact(&several, tenant, false, all); break;
    case kind::fails_in_the_middle: co_await mine.transact(&several, tenant, true, all); break;
    case kind::fails_at_once: co_await mine.transact(&fail_at_once, tenant, all); break;
    case kind::divides_by_zero:
      (void)co_await mine.query_one<int>("select 1 / (tenant - $1) from notes limit 1", tenant);
      break;
    case kind::writes_for_another:
      co_await mine.execute("insert into notes (tenant) values ($1)", (tenant + 1) % tenants);
      break;
    case kind::undone_by_result: (void)co_await mine.transact(&write_and_undo, tenant, all); break;
    case kind::waits:
      (void)co_await mine.query<std::string>("select pg_sleep(0.005)::text from notes limit 1");
      break;
    case kind::as_owner:
    case kind::as_owner_too: co_await read_as_owner(db, all); break;
    default: co_await read_some(mine, tenant, all);
  }
}

bool has_to_fail(kind what) {
  return what == kind::fails_in_the_middle || what == kind::fails_at_once || what == kind::divides_by_zero ||
         what == kind::writes_for_another;
}

/// Whether this is how a request of this kind fails.
bool is_its_failure(kind what, const corbel::error& e) {
  switch (what) {
    case kind::fails_in_the_middle:
    case kind::fails_at_once: return e.kind() == error_kind::internal;
    case kind::divides_by_zero: return e.kind() == error_kind::malformed;
    case kind::writes_for_another: return e.code() == "row_denied";
    default: return false;
  }
}

task<void> count(postgres::database db, int tenant, kind what, tally* all) {
  try {
    co_await request(db, tenant, what, all);
    ++all->answered;
    if (has_to_fail(what)) all->surprise("a request that has to fail did not");
  } catch (const corbel::failure& f) {
    ++all->failed;
    const auto& e = f.error();
    if (e.kind() == error_kind::unavailable)
      ++all->lost;
    else if (!is_its_failure(what, e))
      all->surprise(e.code() + ": " + (e.cause().empty() ? e.message() : e.cause()));
    else if (what == kind::writes_for_another)
      ++all->refused;
  } catch (const std::domain_error&) {
    ++all->answered;
  } catch (...) {
    ++all->cancelled;
  }
}

/// Many at a time, each with a request of a random kind; some leave before it is answered.
void use(const postgres::database& db, std::int64_t requests, unsigned seed, tally* all) {
  std::mt19937 random(seed);
  while (requests > 0) {
    side_by_side users;
    const auto now = std::min<std::int64_t>(requests, 400);
    for (int i = 0; i < now; ++i) {
      const auto tenant = static_cast<int>(random() % tenants);
      auto& one = users.start(count(db, tenant, static_cast<kind>(random() % kinds), all));
      if (random() % 16 == 0) {
        users.run_for(std::chrono::milliseconds(random() % 3));
        one.stop();
      }
      if (i % 32 == 0) users.run_for(1ms);
    }
    if (!users.run_until([&] { return users.running() == 0; }, 60s)) all->surprise("requests do not end");
    requests -= now;
  }
}

std::int64_t requests_in_all() {
  const std::string_view stress = std::getenv("CORBEL_STRESS") ? std::getenv("CORBEL_STRESS") : "";
  std::int64_t n = 0;
  std::from_chars(stress.data(), stress.data() + stress.size(), n);
  return n == 1 ? 1'000'000 : n > 0 ? n : 20'000;
}

task<void> kill_one(data::database db) {
  co_await db.query<std::int64_t>(
      "select count(pg_terminate_backend(pid)) from (select pid from pg_stat_activity where datname = "
      "current_database() and application_name = 'tenants' order by random() limit 1) as one");
}

}  // namespace

TEST_CASE("nobody sees a row of another tenant, whatever happens meanwhile") {
  const temporary_postgres own;
  make_notes(*own);
  proxy between(own.url());
  const postgres::database db(
      postgres::open(between.in(own.url()) + "?connections=3&checkout_timeout=10s&application_name=tenants"));
  tally all;
  const auto requests = requests_in_all() / 4 * 4;
  const auto since = std::chrono::steady_clock::now();
  std::atomic<int> left = 4;
  std::vector<std::thread> loops;
  for (unsigned l = 0; l < 4; ++l)
    loops.emplace_back([&, l] {
      use(db, requests / 4, l + 1, &all);
      --left;
    });
  for (int round = 0; left > 0; ++round) {
    std::this_thread::sleep_for(150ms);
    if (round % 2 == 0)
      between.cut();
    else
      run(kill_one(*own));
  }
  for (auto& l : loops) l.join();
  CHECK(all.foreign == 0);
  CHECK(all.missing == 0);
  CAPTURE(all.notes);
  CHECK(all.surprises == 0);
  CHECK(all.answered + all.failed + all.cancelled == requests);
  // Or it has not tried what it says it tries.
  CHECK(all.answered > requests / 3);
  CHECK(all.failed > requests / 10);
  CHECK(all.seen > requests);
  CHECK(all.cancelled > 0);
  CHECK(all.refused > 0);
  CHECK(all.lost > 0);
  // Nothing was kept of what was refused or undone.
  CHECK(one<int>(*own, "select count(*) from notes") == tenants * rows_each);
  MESSAGE(
      requests, " requests in ",
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - since).count(),
      " ms: answered ", all.answered.load(), ", failed ", all.failed.load(), " (", all.lost.load(),
      " with a broken connection, ", all.refused.load(), " refused), cancelled ", all.cancelled.load(),
      ", rows seen ", all.seen.load(), ", foreign rows ", all.foreign.load());
  db.stop();
}
