#include <benchmark/benchmark.h>

#include <nlohmann/json.hpp>
#include <string>

#include "corbel/base/json/decode.hpp"
#include "corbel/base/json/dom.hpp"
#include "corbel/base/json/writer.hpp"
#include "corbel/schema/json_schema.hpp"
#include "corbel/schema/parse.hpp"
#include "corbel/schema/validator.hpp"
#include "service/create_project.hpp"

/// The cost of one body of the projects example in and out, beside nlohmann's DOM in the same run.
namespace {

const std::string body =
    R"({"name":"Apollo launch scheduler","description":"Plan and track every task of the launch campaign.",)"
    R"("ownerId":42,"status":"active","priority":3,"tags":["alpha","beta","release"],"dueDate":"2026-12-31"})";

void decode_only(benchmark::State& state) {
  for (auto _ : state) {
    auto read = corbel::json::parse<create_project>(body);
    benchmark::DoNotOptimize(read);
  }
}
BENCHMARK(decode_only);

void decode_and_check(benchmark::State& state) {
  for (auto _ : state) {
    auto read = corbel::schema::parse<create_project>(body);
    benchmark::DoNotOptimize(read);
  }
}
BENCHMARK(decode_and_check);

void encode(benchmark::State& state) {
  const auto value = corbel::schema::parse<create_project>(body).value();
  std::string out;
  for (auto _ : state) {
    out.clear();
    corbel::json::append(out, value);
    benchmark::DoNotOptimize(out);
  }
}
BENCHMARK(encode);

void decode_check_encode(benchmark::State& state) {
  std::string out;
  for (auto _ : state) {
    auto read = corbel::schema::parse<create_project>(body);
    out.clear();
    corbel::json::append(out, *read);
    benchmark::DoNotOptimize(out);
  }
}
BENCHMARK(decode_check_encode);

void our_dom(benchmark::State& state) {
  for (auto _ : state) {
    nlohmann::json dom;
    if (!corbel::json::parse_dom(body, dom)) state.SkipWithError("malformed");
    benchmark::DoNotOptimize(dom);
  }
}
BENCHMARK(our_dom);

void schema_file(benchmark::State& state) {
  const auto run = corbel::schema::from_json_schema(corbel::schema::json_schema<create_project>()).value();
  for (auto _ : state)
    if (!run.check_text(body)) state.SkipWithError("invalid");
}
BENCHMARK(schema_file);

void nlohmann_parse(benchmark::State& state) {
  for (auto _ : state) {
    auto dom = nlohmann::json::parse(body);
    benchmark::DoNotOptimize(dom);
  }
}
BENCHMARK(nlohmann_parse);

void nlohmann_dump(benchmark::State& state) {
  const auto dom = nlohmann::json::parse(body);
  for (auto _ : state) {
    auto out = dom.dump();
    benchmark::DoNotOptimize(out);
  }
}
BENCHMARK(nlohmann_dump);

void nlohmann_parse_dump(benchmark::State& state) {
  for (auto _ : state) {
    auto out = nlohmann::json::parse(body).dump();
    benchmark::DoNotOptimize(out);
  }
}
BENCHMARK(nlohmann_parse_dump);

}  // namespace

BENCHMARK_MAIN();
