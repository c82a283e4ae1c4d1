// The disk of a server fills up under load: what needs room is refused, the rest goes on, and no answer is
// wrong.

#include "data/postgres/support/full_disk.hpp"

#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "corbel/data/postgres/errors.hpp"
#include "corbel/data/transaction_options.hpp"
#include "data/postgres/support/own_server.hpp"
#include "data/postgres/support/side_by_side.hpp"
#include "data/postgres/support/tasks.hpp"

namespace {

/// What writers were told of each of their notes.
struct told {
  void stored(int id) {
    const std::lock_guard lock(mutex);
    acknowledged.insert(id);
  }
  void failed(int id, const corbel::error& e) {
    const std::lock_guard lock(mutex);
    const bool unknown = data::is_commit_unknown(e);
    if (unknown) {
      in_doubt.insert(id);
    } else {
      refused.insert(id);
      if (e.code() == "storage_full") ++storage_full;
    }
    // A client that is told to come again is told when; one that has to look first is not.
    if (e.kind() != error_kind::unavailable || unknown == e.retry_after().has_value())
      surprises += e.code() + ": " + e.cause() + "\n";
  }
  std::size_t all_stored() {
    const std::lock_guard lock(mutex);
    return acknowledged.size();
  }
  std::size_t all_failed() {
    const std::lock_guard lock(mutex);
    return refused.size() + in_doubt.size();
  }

  std::mutex mutex;
  std::set<int> acknowledged, refused, in_doubt;
  int storage_full = 0;
  std::string surprises;  // errors that are none of those of a full disk
  std::atomic<bool> over{false};
  std::atomic<int> reads{0};
  std::atomic<int> failed_reads{0};
  std::atomic<int> wrong_reads{0};
};

constexpr char store[] = "insert into notes select $1::int, repeat(md5($1::int::text), 60)";

/// Seven rows and their sum: together or not at all.
task<void> add_several(data::transaction& tx, int id) {
  co_await tx.execute("insert into sums values ($1, 7)", id);
  for (int n = 0; n < 7; ++n) co_await tx.execute(store, id + n);
}

task<void> add_and_fill(data::transaction& tx, int id, const own::full_disk* disk) {
  co_await add_several(tx, id);
  disk->fill("pg_wal/sync");
}

task<void> keep_writing(data::database db, int from, told* all) {
  for (int id = from; !all->over; id += 10) {
    std::optional<corbel::error> failed;
    try {
      if (id % 20 == 0)
        co_await db.transact(&add_several, id);
      else
        co_await db.execute(store, id);
      all->stored(id);
    } catch (const corbel::failure& f) {
      failed = f.error();
    }
    if (failed) {
      all->failed(id, *failed);
      co_await pause(5ms);
    }
  }
}

task<void> keep_reading(data::database db, told* all) {
  while (!all->over) {
    try {
      const auto got =
          co_await db.query_one<std::string>("select md5(id::text) from notes order by id limit 1");
      ++(got == "c4ca4238a0b923820dcc509a6f75849b" ? all->reads : all->wrong_reads);  // of the note 1
    } catch (const corbel::failure&) {
      ++all->failed_reads;
    }
    co_await pause(1ms);
  }
}

/// A server on such a disk, two event loops that write and read, and what they were told.
struct filling {
  explicit filling(std::vector<std::string> settings = {})
      : server({.settings = std::move(settings), .environment = disk.environment()}) {
    server.start();
    db = postgres::open(server.url("connections=3&checkout_timeout=1s"));
    run(db->execute("create table notes (id int primary key, body text not null)"));
    run(db->execute("create table sums (id int primary key, n int not null)"));
    run(db->execute(store, 1));
  }
  ~filling() {
    stop();
    db->stop();
  }

  void use() {
    for (int l = 0; l < 2; ++l)
      loops.emplace_back([this, l] {
        side_by_side users;
        for (int user = 1; user <= 8; ++user)
          users.start(keep_writing(*db, (l * 8 + user) * 10'000'000, &all));
        users.start(keep_reading(*db, &all));
        users.run_until([&] { return users.running() == 0; }, 120s);
        if (users.running() != 0) ++all.wrong_reads;
      });
  }
  void stop() {
    all.over = true;
    for (auto& one : loops) one.join();
    loops.clear();
  }
  template <class Condition>
  void wait(Condition done) {
    for (int tries = 0; !done(); ++tries) {
      REQUIRE(tries < 6000);
      std::this_thread::sleep_for(5ms);
    }
  }
  void until_stored(std::size_t more) {
    wait([this, enough = all.all_stored() + more] { return all.all_stored() >= enough; });
  }
  void until_failed(std::size_t more) {
    wait([this, enough = all.all_failed() + more] { return all.all_failed() >= enough; });
  }

  /// What was acknowledged is there, what was refused is not, and nothing is there in part.
  void check_rows() {
    const auto ids = run(db->query<int>("select id from notes where id % 10 = 0"));
    const std::set<int> there(ids.begin(), ids.end());
    for (const int id : all.acknowledged)
      if (!there.contains(id)) FAIL_CHECK("acknowledged and lost: ", id);
    for (const int id : all.refused)
      if (there.contains(id)) FAIL_CHECK("refused and stored: ", id);
    for (const int id : there)
      if (!all.acknowledged.contains(id) && !all.in_doubt.contains(id)) FAIL_CHECK("never sent: ", id);
    CHECK(one<int>(
              *db,
              "select count(*) from sums s full join (select id / 10 * 10 as id, count(*) as n from notes "
              "where id > 1 group by 1 having count(*) > 1) as g on g.id = s.id where g.n is distinct from "
              "s.n") == 0);
    CHECK_MESSAGE(all.surprises.empty(), all.surprises);
    CHECK(all.wrong_reads == 0);
    MESSAGE("stored ", all.acknowledged.size(), ", refused ", all.refused.size(), " (", all.storage_full,
            " by a full disk), in doubt ", all.in_doubt.size(), ", reads ", all.reads.load(), " and ",
            all.failed_reads.load(), " failed");
  }

  const own::full_disk disk;
  own::server server;
  std::optional<data::database> db;
  told all;
  std::vector<std::thread> loops;
};

}  // namespace

TEST_CASE("no room for tables: writes are refused, reads go on, and so do writes when there is room again") {
  filling on;
  on.use();
  for (int round = 0; round < 3; ++round) {
    CAPTURE(round);
    on.until_stored(100);
    on.disk.fill("base");
    on.until_failed(100);
    const int reads = on.all.reads;
    on.wait([&] { return on.all.reads > reads + 50; });
    on.disk.make_room();
  }
  on.until_stored(100);
  on.stop();
  on.check_rows();
  CHECK(on.all.storage_full == static_cast<int>(on.all.refused.size()));
  CHECK(on.all.in_doubt.empty());
  CHECK(on.all.failed_reads == 0);
  CHECK(contains(own::text_of(on.server.log()), "could not extend file"));
}

TEST_CASE("no room for what a query or a COPY needs is told as such") {
  filling on({"work_mem=64kB"});
  on.disk.fill("base");
  const auto sorting =
      failure_of(on.db->query<int>("select n from generate_series(1, 200000) n order by -n"));
  CHECK(sorting.code() == "storage_full");
  CHECK(postgres::is_sql_state(sorting, "53100"));
  CHECK(one<int>(*on.db, "select 1") == 1);
  const postgres::database pg(*on.db);
  const auto copying = failure_of([](postgres::database to) -> task<void> {
    auto in = co_await to.copy_in_text("copy notes from stdin");
    for (int id = 10; id < 20'000; id += 10) co_await in.write(std::to_string(id) + "\ttext\n");
    co_await in.finish();
  }(pg));
  CHECK(copying.code() == "storage_full");
  CHECK(copying.retry_after());
  on.disk.make_room();
  CHECK(one<int>(*on.db, "select count(*) from notes") == 1);
}

TEST_CASE("no room for the log ends the server, and no answer is wrong") {
  filling on;
  on.use();
  for (int round = 0; round < 3; ++round) {
    CAPTURE(round);
    on.until_stored(100);
    on.disk.fill("pg_wal");
    on.until_failed(50);
    on.disk.make_room();
    on.server.start();
  }
  on.until_stored(100);
  on.stop();
  on.check_rows();
  CHECK_FALSE(on.all.in_doubt.empty());  // whose COMMIT it was that the server died of
  CHECK(contains(own::text_of(on.server.log()), "PANIC:  could not write to"));
}

TEST_CASE(
    "a log that finds no room when it is synced leaves what it wrote, so nobody is told that it failed") {
  // Nobody syncs the log before a COMMIT does. Its files are many, and are not synced one by one when it
  // starts again.
  filling on({"fsync=on", "wal_writer_delay=10s", "recovery_init_sync_method=syncfs"});
  run(on.db->execute(
      "create table corbel_idempotency_keys (key text primary key, attempt text not null, used_at "
      "timestamptz not null default now())"));
  const auto how = data::transaction_options().once_for("twenty");
  const auto fails = [&](task<void> work) {
    const auto failed = failure_of(std::move(work));
    CHECK(data::is_commit_unknown(failed));
    CHECK_FALSE(failed.retry_after());
    on.server.stop(SIGQUIT);
    on.disk.make_room();
    on.server.start();
  };
  on.disk.fill("pg_wal/sync");
  fails([](data::database db) -> task<void> { co_await db.execute(store, 10); }(*on.db));
  CHECK(one<int>(*on.db, "select count(*) from notes where id = 10") == 1);
  fails(on.db->transact(how, &add_and_fill, 20, &on.disk));
  CHECK(failure_of(on.db->transact(how, &add_several, 20)).code() == "idempotency_key_used");
  CHECK(one<int>(*on.db, "select count(*) from notes where id between 20 and 26") == 7);
}
