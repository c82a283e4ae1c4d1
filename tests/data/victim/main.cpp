// A process to be killed: data_victim URL TASK [STEP] does TASK on the database at URL. With STEP it kills
// itself at its step of that number, counted from 0. It ends with 0 when the task is done.

#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <optional>

#include "corbel/data/postgres/postgres.hpp"
#include "corbel/data/sqlite/sqlite.hpp"
#include "corbel/testing/run.hpp"
#include "data/migration_sets.hpp"

namespace data = corbel::data;
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

/// To whoever watches standard output, as an int.
void tell(int n) {
  if (::write(STDOUT_FILENO, &n, sizeof n) != sizeof n) ::_exit(1);
}

void insert_for_ever(const data::database& db) {
  run(db.execute("create table t (n integer)"));
  for (int n = 1;; ++n) {
    run(db.execute("insert into t values ($1)", n));
    tell(n);
  }
}

struct job {
  const char* name;
  void (*act)(const data::database&);
};

const job jobs[] = {
    {"three_steps", [](const data::database& db) { data::migrate_now(db, migration_sets::three_steps()); }},
    {"three_steps_down",
     [](const data::database& db) { run(data::migrate_down(db, migration_sets::three_steps(), 0)).value(); }},
    {"bare_steps", [](const data::database& db) { data::migrate_now(db, migration_sets::bare_steps()); }},
    {"ten", [](const data::database& db) { data::migrate_now(db, migration_sets::many(10)); }},
    {"two_hundred",
     [](const data::database& db) {
       tell(0);
       data::migrate_now(db, migration_sets::many(200));
     }},
    {"counted_runs", [](const data::database& db) { data::migrate_now(db, migration_sets::counted_runs()); }},
    {"insert_for_ever", &insert_for_ever},
};

void act(const job& what, const std::string& url, std::optional<int> dies_at) {
  const auto db = data::connect(url, {corbel::postgres::driver(), corbel::sqlite::driver()});
  if (!dies_at) return what.act(db);
  countdown steps{*dies_at};
  what.act(data::database(std::make_shared<watched_backend>(db, steps)));
}

}  // namespace

int main(int count, char** words) {
  if (count < 3) return 2;
  std::optional<int> dies_at;
  if (count > 3 &&
      std::from_chars(words[3], words[3] + std::strlen(words[3]), dies_at.emplace()).ec != std::errc())
    return 2;
  for (const auto& one : jobs) {
    if (std::strcmp(one.name, words[2]) != 0) continue;
    try {
      act(one, words[1], dies_at);
      return 0;
    } catch (const std::exception& e) {
      std::fprintf(stderr, "%s: %s\n", one.name, e.what());
      return 1;
    }
  }
  std::fprintf(stderr, "there is no task %s\n", words[2]);
  return 2;
}
