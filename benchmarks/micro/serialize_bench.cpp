#include <benchmark/benchmark.h>

#include "corbel/middleware/security_headers.hpp"
#include "micro/requests.hpp"
#include "server/http1/serialize.hpp"

/// Writing a response: status line, Date, framing, fields, body.
namespace {

void serialize(benchmark::State& state, bool secured) {
  const corbel::app_context context;
  corbel::request in;
  requests::fill(in, context, "GET", "/plaintext");
  corbel::response reply;
  reply.body(std::string(static_cast<std::size_t>(state.range(0)), 'x'), "text/plain; charset=utf-8");
  reply.set("X-Request-Id", "019a0000-0000-7000-8000-000000000000");
  if (secured) corbel::security_headers{}.after(in, reply);
  corbel::byte_buffer out;
  corbel::http1::date_line date;
  const auto now = std::chrono::steady_clock::now();
  for (auto _ : state) {
    out.clear();
    corbel::http1::append_response(out, in, reply, true, date.at(now));
    benchmark::DoNotOptimize(out.view());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * out.size()));
}
BENCHMARK_CAPTURE(serialize, bare, false)->Arg(13)->Arg(10'000);
BENCHMARK_CAPTURE(serialize, secured, true)->Arg(13)->Arg(10'000);

void security_headers(benchmark::State& state) {
  const corbel::security_headers layer;
  const corbel::app_context context;
  corbel::request in;
  requests::fill(in, context, "GET", "/plaintext");
  corbel::response reply;
  for (auto _ : state) {
    reply.clear();
    reply.set("Content-Type", "text/plain");
    layer.after(in, reply);
    benchmark::DoNotOptimize(reply);
  }
}
BENCHMARK(security_headers);

}  // namespace

BENCHMARK_MAIN();
