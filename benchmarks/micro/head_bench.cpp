#include <benchmark/benchmark.h>

#include "micro/requests.hpp"
#include "server/http1/head.hpp"

/// What reading a head costs: the guard and the parser alone, as for a head that comes
/// in pieces, and both in one pass.
namespace {

using corbel::http1::head_outcome;

void scan(benchmark::State& state, const std::string& text) {
  const corbel::server_limits limits;
  for (auto _ : state) {
    corbel::http1::head_scan at;
    std::size_t size = 0;
    std::optional<corbel::error> why;
    if (corbel::http1::scan_head(text, at, limits, size, why) != head_outcome::complete)
      state.SkipWithError("not complete");
    benchmark::DoNotOptimize(size);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK_CAPTURE(scan, bare, requests::bare);
BENCHMARK_CAPTURE(scan, browser, requests::browser);
BENCHMARK_CAPTURE(scan, post, requests::post);

/// With `decide_framing`, which it calls last.
void parse(benchmark::State& state, const std::string& text) {
  corbel::request in;
  for (auto _ : state) {
    corbel::request_access(in).clear();
    corbel::http1::message_framing framing;
    if (corbel::http1::parse_head(text, in, framing)) state.SkipWithError("refused");
    benchmark::DoNotOptimize(framing);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK_CAPTURE(parse, bare, requests::bare);
BENCHMARK_CAPTURE(parse, browser, requests::browser);
BENCHMARK_CAPTURE(parse, post, requests::post);

/// What a connection calls: all of it in one pass, for a head that is all there.
void read(benchmark::State& state, const std::string& text) {
  const corbel::server_limits limits;
  corbel::request in;
  for (auto _ : state) {
    corbel::request_access(in).clear();
    corbel::http1::head_scan at;
    corbel::http1::message_framing framing;
    std::size_t size = 0;
    std::optional<corbel::error> why;
    if (corbel::http1::read_head(text, at, limits, in, framing, size, why) != head_outcome::complete)
      state.SkipWithError("refused");
    benchmark::DoNotOptimize(size);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK_CAPTURE(read, bare, requests::bare);
BENCHMARK_CAPTURE(read, browser, requests::browser);
BENCHMARK_CAPTURE(read, post, requests::post);

}  // namespace
