// A migration's process is killed before its first step, before its second, and so on to the last: whatever
// is left is a whole version. And what only SQLite has to do for that.

#include <csignal>
#include <fstream>

#include "backends.hpp"
#include "children.hpp"
#include "corbel/data/migrations.hpp"
#include "corbel/data/sqlite/sqlite.hpp"
#include "expect.hpp"
#include "places.hpp"

namespace data = corbel::data;
namespace fs = std::filesystem;
using corbel::testing::run;

namespace {

/// Kills this process when it has been told of `left` steps.
struct countdown {
  int left;
  void step() {
    if (left-- == 0) ::kill(::getpid(), SIGKILL);
  }
};

/// A session whose every statement, of scripts, too, is a step; scripts are split at ";\n".
class watched_session final : public data::session {
 public:
  watched_session(std::shared_ptr<data::session> inner, countdown& steps)
      : inner_(std::move(inner)), steps_(steps) {}

  corbel::task<std::unique_ptr<data::result_set>> run(data::statement what) override {
    steps_.step();
    return inner_->run(std::move(what));
  }
  corbel::task<void> run_script(std::string script) override {
    for (std::size_t at = 0; at < script.size();) {
      const auto end = script.find(";\n", at);
      const auto one = script.substr(at, end == std::string::npos ? end : end + 2 - at);
      at += one.size();
      steps_.step();
      co_await inner_->run_script(one);
    }
  }
  corbel::task<void> commit() override {
    steps_.step();
    co_await inner_->commit();
    steps_.step();
  }
  void abandon() noexcept override { inner_->abandon(); }
  void defer(std::string sql) override { inner_->defer(std::move(sql)); }
  const data::dialect& language() const noexcept override { return inner_->language(); }

 private:
  const std::shared_ptr<data::session> inner_;
  countdown& steps_;
};

class watched_backend final : public data::backend {
 public:
  watched_backend(const data::database& inner, countdown& steps)
      : inner_(std::dynamic_pointer_cast<data::backend>(inner.runner())), steps_(steps) {}

  corbel::task<std::unique_ptr<data::result_set>> run(data::statement what) override {
    return inner_->run(std::move(what));
  }
  corbel::task<std::shared_ptr<data::session>> begin(data::transaction_mode mode) override {
    steps_.step();
    auto begun = co_await inner_->begin(mode);
    co_return std::make_shared<watched_session>(std::move(begun), steps_);
  }
  void stop() override { inner_->stop(); }
  const data::dialect& language() const noexcept override { return inner_->language(); }

 private:
  const std::shared_ptr<data::backend> inner_;
  countdown& steps_;
};

using action = void (*)(const data::database&);

/// Runs `act` in a process that dies at its step `at`; false when it came to its end before.
bool dies_at(int at, const places::place& where, action act) {
  const auto child = in_child([&] {
    const auto db = where.open();
    countdown steps{at};
    act(data::database(std::make_shared<watched_backend>(db, steps)));
  });
  const int status = wait_for(child);
  where.settle();
  if (WIFSIGNALED(status)) return true;
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 0);
  return false;
}

std::string url_in(const corbel::testing::temporary_folder& folder) {
  return "sqlite:" + (folder.path() / "x.db").string() + "?synchronous=off";
}

data::migration_set three_steps() {
  data::migration_set set;
  for (const std::string n : {"1", "2", "3"}) {
    set.add("000" + n + "_step.sql", "create table a" + n + " (x integer);\ninsert into a" + n +
                                         " values (1);\ncreate table b" + n + " (x integer);\n");
    set.add("000" + n + "_step.down.sql", "drop table a" + n + ";\ndrop table b" + n + ";\n");
  }
  return set;
}

/// The second step without a transaction, in statements that can be repeated.
data::migration_set bare_steps() {
  data::migration_set set;
  set.add("0001_a.sql", "create table a (x integer);\n");
  set.add("0002_b.sql",
          "-- corbel: no-transaction\ndrop table if exists b;\ncreate table b (x integer);\n"
          "insert into b values (1);\n");
  set.add("0003_c.sql", "insert into b values (2);\ncreate table c (x integer);\n");
  return set;
}

using places::tables;

}  // namespace

TEST_CASE("killed at any statement, a migration leaves version N or N + 1") {
  places::each(
      [](const places::place& where) {
        int at = 0;
        for (bool died = true; died; ++at) {
          CAPTURE(at);
          where.clear();
          died = dies_at(at, where, [](const data::database& db) { data::migrate_now(db, three_steps()); });
          const auto db = where.open();
          const auto status = run(data::migrations_status(db, three_steps()));
          REQUIRE(status);
          CHECK(tables(db) == static_cast<int>(2 * status->applied.size()));
          CHECK(data::migrate_now(db, three_steps()).size() == status->pending.size());
          CHECK(tables(db) == 6);
        }
        CHECK(at > 20);
      },
      "?synchronous=off");
}

TEST_CASE("killed at any statement, the way down leaves version N or N - 1") {
  places::each(
      [](const places::place& where) {
        int at = 0;
        for (bool died = true; died; ++at) {
          CAPTURE(at);
          where.clear();
          {
            const auto db = where.open();
            data::migrate_now(db, three_steps());
            db.stop();
          }
          died = dies_at(at, where, [](const data::database& on) {
            run(data::migrate_down(on, three_steps(), 0)).value();
          });
          const auto again = where.open();
          const auto status = run(data::migrations_status(again, three_steps()));
          REQUIRE(status);
          CHECK(tables(again) == static_cast<int>(2 * status->applied.size()));
          CHECK(run(data::migrate_down(again, three_steps(), 0)).value().size() == status->applied.size());
          CHECK(tables(again) == 0);
        }
        CHECK(at > 15);
      },
      "?synchronous=off");
}

TEST_CASE("killed at any statement without a transaction, the next attempt completes it") {
  places::each(
      [](const places::place& where) {
        int at = 0;
        for (bool died = true; died; ++at) {
          CAPTURE(at);
          where.clear();
          died = dies_at(at, where, [](const data::database& db) { data::migrate_now(db, bare_steps()); });
          const auto db = where.open();
          CHECK(run(data::migrations_status(db, bare_steps())));
          data::migrate_now(db, bare_steps());
          CHECK(tables(db) == 3);
          CHECK(run(db.query<int>("select x from b order by x")) == std::vector<int>{1, 2});
        }
        CHECK(at > 20);
      },
      "?synchronous=off");
}

TEST_CASE("processes that migrate without transactions take turns, and leave no lock behind") {
  const corbel::testing::temporary_folder folder;
  run(corbel::sqlite::open(url_in(folder)).execute("create table runs (n integer)"));
  data::migration_set set;
  for (const std::string n : {"1", "2", "3", "4"})
    set.add("000" + n + "_step.sql",
            (n == "3" ? std::string() : "-- corbel: no-transaction\n") +
                "with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)"
                "insert into runs select " +
                n + " from n where i = 1;\ninsert into runs values (" + n + ");\n");
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i)
    children.push_back(in_child([&] { data::migrate_now(corbel::sqlite::open(url_in(folder)), set); }));
  for (const auto child : children) CHECK(wait_for(child) == 0);
  const auto db = corbel::sqlite::open(url_in(folder));
  CHECK(run(db.query<int>("select count(*) from runs group by n")) == std::vector<int>{2, 2, 2, 2});
  CHECK_FALSE(fs::exists(folder.path() / "x.db-migrate"));
}

TEST_CASE("a lock that a killed process left is no obstacle, and one that cannot be made is told") {
  const corbel::testing::temporary_folder folder;
  const auto lock = folder.path() / "x.db-migrate";
  const auto db = corbel::sqlite::open(url_in(folder));
  std::ofstream(lock) << "";
  CHECK(data::migrate_now(db, bare_steps()).size() == 3);
  CHECK_FALSE(fs::exists(lock));
  fs::create_symlink(folder.path() / "elsewhere", lock);
  const auto refused = failure_of(data::migrate(db, bare_steps()));
  CHECK(contains(refused.message(), "x.db-migrate\" cannot be made"));
  CHECK_FALSE(fs::exists(folder.path() / "elsewhere"));
}

TEST_CASE("SQLite: VACUUM and PRAGMA run without a transaction, and what they set for the connection goes") {
  for (const char* url : {"sqlite::memory:", ""}) {
    CAPTURE(url);
    const corbel::testing::temporary_folder folder;
    const auto db = corbel::sqlite::open(*url ? std::string(url) : url_in(folder));
    data::migration_set set;
    set.add("0001_a.sql", "create table a (id integer primary key, up integer references a (id));");
    set.add("0002_b.sql",
            "-- corbel: no-transaction\npragma foreign_keys = off;\npragma query_only = on;\n"
            "pragma query_only = off;\npragma auto_vacuum = full;\nvacuum;\n");
    data::migrate_now(db, set);
    CHECK(failure_of(db.execute("insert into a values (1, 99)")).kind() == corbel::error_kind::conflict);
    run(db.execute("insert into a values (1, null)"));
    CHECK(run(db.query_one<int>("select auto_vacuum from pragma_auto_vacuum")) == 1);
    data::migration_set transactional;
    transactional.add("0001_a.sql", set.all()[0].sql).add("0002_b.sql", set.all()[1].sql);
    transactional.add("0003_c.sql", "vacuum;");
    CHECK(contains(run(data::migrate(db, transactional)).error().message(),
                   "VACUUM from within a transaction"));
  }
}
