// The driver without HTTP around it: DATABASE_URL=... driver_bench [--seconds N] [--rounds N]
//
// 64 coroutines on one event loop, each asking for one random row of `world` after the other by a prepared
// statement: through corbel::postgres, and through libpqxx on the threads of a blocking pool. The ways take
// turns; the medians of their rounds count.
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <charconv>
#include <chrono>
#include <corbel/data/postgres/postgres.hpp>
#include <corbel/runtime/blocking_pool.hpp>
#include <corbel/runtime/event_loop.hpp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <memory>
#include <pqxx/pqxx>
#include <string>
#include <string_view>
#include <vector>

#include "service/database_rows.hpp"

namespace {

using corbel::task;
using steady = std::chrono::steady_clock;

constexpr int users = 64;

std::string database_url;

double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

struct tally {
  std::uint64_t queries = 0;
  bool stop = false;
};

task<void> ask_corbel(corbel::data::database db, tally* count) {
  while (!count->stop) {
    const auto row = co_await db.query_one<world_row>(
        "select id, randomnumber as random_number from world where id = $1", random_id());
    if (!row) std::abort();
    ++count->queries;
  }
}

world_row ask_blocking() {
  thread_local const auto connection = [] {
    auto made = std::make_unique<pqxx::connection>(database_url);
    made->prepare("world", "select id, randomnumber from world where id = $1");
    return made;
  }();
  pqxx::nontransaction on(*connection);
  const auto row = on.exec_prepared1("world", random_id());
  return {row[0].as<std::int32_t>(), row[1].as<std::int32_t>()};
}

task<void> ask_pqxx(corbel::blocking_pool* pool, tally* count) {
  while (!count->stop) {
    (void)co_await pool->run(&ask_blocking);
    ++count->queries;
  }
}

struct figures {
  double per_second = 0;
  double cpu_us = 0;
};

/// Runs `start(loop, tally)` for a while, and measures behind a warm-up.
figures measure(double seconds, const std::function<void(corbel::event_loop&, tally&)>& start) {
  using std::chrono::duration;
  corbel::event_loop loop;
  tally count;
  start(loop, count);
  auto& context = loop.context();
  const auto run_for = [&](double span) {
    context.run_for(std::chrono::duration_cast<steady::duration>(duration<double>(span)));
  };
  run_for(0.3);
  const auto cpu = cpu_seconds();
  const auto began = steady::now();
  const auto before = count.queries;
  run_for(seconds);
  const auto done = static_cast<double>(count.queries - before);
  const auto took = duration<double>(steady::now() - began).count();
  const figures found{done / took, (cpu_seconds() - cpu) * 1e6 / done};
  count.stop = true;
  run_for(0.3);
  return found;
}

double median(std::vector<double> all) {
  std::sort(all.begin(), all.end());
  return all[all.size() / 2];
}

struct way {
  std::string name;
  std::function<figures(double seconds)> run;
  std::vector<double> rates{};
  std::vector<double> costs{};
};

figures run_corbel(double seconds, int connections) {
  const auto separator = database_url.find('?') == std::string::npos ? "?" : "&";
  const auto db =
      corbel::postgres::open(database_url + separator + "connections=" + std::to_string(connections));
  const auto found = measure(seconds, [&](corbel::event_loop& loop, tally& count) {
    for (int i = 0; i < users; ++i)
      boost::asio::co_spawn(loop.context(), ask_corbel(db, &count), [](std::exception_ptr e) {
        if (e) std::rethrow_exception(e);
      });
  });
  db.stop();
  return found;
}

figures run_pqxx(double seconds, std::size_t threads) {
  corbel::blocking_pool pool(threads, 10'000);
  const auto found = measure(seconds, [&](corbel::event_loop& loop, tally& count) {
    for (int i = 0; i < users; ++i)
      boost::asio::co_spawn(loop.context(), ask_pqxx(&pool, &count), [](std::exception_ptr e) {
        if (e) std::rethrow_exception(e);
      });
  });
  pool.stop();
  return found;
}

}  // namespace

int main(int argc, char** argv) try {
  int seconds = 1, rounds = 5;
  double least = 0;
  if (argc % 2 == 0) {
    std::fprintf(stderr, "driver_bench: \"%s\" lacks its number\n", argv[argc - 1]);
    return 64;
  }
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view option = argv[i], text = argv[i + 1];
    const auto read = [&](auto& into) {
      const auto got = std::from_chars(text.data(), text.data() + text.size(), into);
      return got.ec == std::errc() && got.ptr == text.data() + text.size() && into > 0;
    };
    if ((option == "--seconds" && read(seconds)) || (option == "--rounds" && read(rounds)) ||
        (option == "--least" && read(least)))
      continue;
    // A limit that was not understood would pass for one that holds.
    std::fprintf(
        stderr, "driver_bench: \"%s %s\" is none of --seconds N, --rounds N and --least RATIO, all above 0\n",
        argv[i], argv[i + 1]);
    return 64;
  }
  const char* url = std::getenv("DATABASE_URL");
  if (!url) {
    std::fprintf(stderr,
                 "driver_bench: set DATABASE_URL, or run scripts/bench --drivers, which starts a server\n");
    return 64;
  }
  database_url = url;
  std::vector<way> ways;
  for (const int connections : {2, 4})
    ways.push_back({"corbel::postgres, " + std::to_string(connections) + " connections",
                    [connections](double span) { return run_corbel(span, connections); }});
  for (const std::size_t threads : {std::size_t{4}, std::size_t{8}, std::size_t{16}})
    ways.push_back({"libpqxx, " + std::to_string(threads) + " blocking threads",
                    [threads](double span) { return run_pqxx(span, threads); }});
  for (int round = 0; round < rounds; ++round)
    for (auto& one : ways) {
      const auto found = one.run(seconds);
      one.rates.push_back(found.per_second);
      one.costs.push_back(found.cpu_us);
    }
  double best_blocking = 0, best_of_ours = 0;
  for (const auto& one : ways) {
    auto& best = one.name.starts_with("libpqxx") ? best_blocking : best_of_ours;
    best = std::max(best, median(one.rates));
  }
  std::printf("| way | queries/s | CPU us/query | of the best blocking way |\n|---|---|---|---|\n");
  for (const auto& one : ways)
    std::printf("| %s | %.0f | %.2f | %.2f |\n", one.name.c_str(), median(one.rates), median(one.costs),
                median(one.rates) / best_blocking);
  if (best_of_ours >= least * best_blocking) return 0;
  std::fprintf(stderr,
               "driver_bench: %.2f times the best blocking way, and %.2f is the least that was asked for\n",
               best_of_ours / best_blocking, least);
  return 1;
} catch (const std::exception& why) {
  std::fprintf(stderr, "driver_bench: %s\n", why.what());
  return 1;
}
