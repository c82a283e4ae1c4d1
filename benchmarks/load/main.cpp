// A load generator that cannot be slowed down by what it measures: `bench_load --help`.
#include <sys/resource.h>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "load/plan.hpp"

namespace {

constexpr const char* help =
    R"(bench_load --port N [options]: sends HTTP/1.1 requests over keep-alive connections, prints JSON.

  --host ADDRESS       numeric (127.0.0.1)
  --path PATH          target of every request (/)
  --method NAME        (GET, or POST when there is a body)
  --header 'N: V'      one more field; may be repeated
  --body TEXT          or --body-file FILE
  --connections N      that send requests (64)
  --idle N             more connections, each asked once and then left alone (0)
  --depth N            requests in flight on a connection (1)
  --rate N             open loop: N requests a second in all, whether or not the server keeps up; latency counts
                       from the time a request was due. 0, the default, is the closed loop: as fast as replies come
  --random SEED        open loop: due at random times, the same for the same seed, in place of evenly spaced ones
  --warm-up SECONDS    (0.2)
  --seconds SECONDS    measured behind the warm-up (1)
  --patience SECONDS   then a request counts as timed out (5)
  --spin yes           never sleep: more even figures, when the load has a core of its own
  --status N           expected of each reply (200)
  --length N           expected of each body (any)
  --server-pid PID     a process whose CPU and memory are measured; may be repeated
  --histogram yes      also every bucket of the latencies: its upper end in microseconds, and its count

It ends with 0 when every request got the right reply, 1 when any did not, 2 when it could not run.
)";

[[noreturn]] void complain(const std::string& what) {
  std::fprintf(stderr, "bench_load: %s; bench_load --help lists the options\n", what.c_str());
  std::exit(2);
}

template <class Number>
Number number(std::string_view name, std::string_view text) {
  Number value{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size() || value < Number{})
    complain(std::string(name) + " takes a number, not \"" + std::string(text) + '"');
  return value;
}

std::chrono::nanoseconds seconds(std::string_view name, std::string_view text) {
  const std::chrono::duration<double> value(number<double>(name, text));
  if (value > std::chrono::hours(24)) complain(std::string(name) + " takes at most a day");
  return std::chrono::duration_cast<std::chrono::nanoseconds>(value);
}

std::string contents(const std::string& name) {
  std::ifstream in(name, std::ios::binary);
  if (!in) complain("cannot read " + name);
  return {std::istreambuf_iterator<char>(in), {}};
}

load::plan read_options(int argc, char** argv) {
  load::plan p;
  bool method_given = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--help" || name == "-h") {
      std::fputs(help, stdout);
      std::exit(0);
    }
    if (i + 1 == argc) complain("\"" + std::string(name) + "\" is no option, or lacks its value");
    const std::string_view value = argv[++i];
    if (name == "--host")
      p.host = value;
    else if (name == "--port")
      p.port = number<std::uint16_t>(name, value);
    else if (name == "--path")
      p.path = value;
    else if (name == "--method")
      p.method = value, method_given = true;
    else if (name == "--header")
      p.headers.emplace_back(value);
    else if (name == "--body")
      p.body = value;
    else if (name == "--body-file")
      p.body = contents(std::string(value));
    else if (name == "--connections")
      p.connections = number<std::size_t>(name, value);
    else if (name == "--idle")
      p.idle = number<std::size_t>(name, value);
    else if (name == "--depth")
      p.depth = number<std::size_t>(name, value);
    else if (name == "--rate")
      p.rate = number<double>(name, value);
    else if (name == "--random")
      p.seed = number<std::uint64_t>(name, value);
    else if (name == "--warm-up")
      p.warm_up = seconds(name, value);
    else if (name == "--seconds")
      p.duration = seconds(name, value);
    else if (name == "--patience")
      p.patience = seconds(name, value);
    else if (name == "--spin")
      p.spin = value == "yes";
    else if (name == "--status")
      p.status = number<int>(name, value);
    else if (name == "--length")
      p.length = number<std::size_t>(name, value);
    else if (name == "--histogram")
      p.whole_histogram = value == "yes";
    else if (name == "--server-pid")
      p.servers.push_back(number<pid_t>(name, value));
    else
      complain("there is no option " + std::string(name));
  }
  if (!p.body.empty() && !method_given) p.method = "POST";
  if (p.port == 0) complain("--port is missing");
  if (p.depth == 0 || p.depth > 1024) complain("--depth goes from 1 to 1024");
  if (p.connections == 0) complain("--connections must be 1 or more");
  return p;
}

/// Raises the limit of open files as far as it is allowed, and says so when it does not suffice.
void make_room(std::size_t connections) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  if (connections + 16 > files.rlim_cur)
    complain(std::to_string(connections) + " connections do not fit into the limit of " +
             std::to_string(files.rlim_cur) + " open files; raise it (ulimit -n)");
}

}  // namespace

int main(int argc, char** argv) {
  const auto plan = read_options(argc, argv);
  make_room(plan.connections + plan.idle);
  try {
    const auto outcome = load::run(plan);
    std::puts(load::to_json(plan, outcome).c_str());
    return outcome.all.errors() ? 1 : 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bench_load: %s\n", e.what());
    return 2;
  }
}
