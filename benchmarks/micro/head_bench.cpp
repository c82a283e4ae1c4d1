#include <benchmark/benchmark.h>

#include "micro/requests.hpp"
#include "server/http1/head.hpp"

/// What reading a head costs: the guard over its raw bytes, the parser, and the framing rules, each alone.
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

void framing(benchmark::State& state, const std::string& text) {
  corbel::request in;
  corbel::http1::message_framing framing;
  if (corbel::http1::parse_head(text, in, framing)) state.SkipWithError("refused");
  for (auto _ : state) {
    framing = {};
    if (corbel::http1::decide_framing(in, framing)) state.SkipWithError("refused");
    benchmark::DoNotOptimize(framing);
  }
}
BENCHMARK_CAPTURE(framing, bare, requests::bare);
BENCHMARK_CAPTURE(framing, browser, requests::browser);
BENCHMARK_CAPTURE(framing, post, requests::post);

}  // namespace
