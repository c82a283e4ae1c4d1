#include <benchmark/benchmark.h>

#include <stdexcept>

#include "corbel/middleware/request_id.hpp"
#include "corbel/middleware/security_headers.hpp"
#include "corbel/routing/router.hpp"
#include "micro/requests.hpp"
#include "routing/path_tree.hpp"
#include "routing/pipeline.hpp"

/// From a request that has been read to a response that has not been written: the path tree alone, extraction
/// alone, and everything through `handler::serve`, with and without middleware.
namespace {

void plant(corbel::path_tree& tree, int resources) {
  const auto add = [&](const std::string& text) {
    corbel::path_pattern pattern;
    std::string taken;
    corbel::route_entry entry{corbel::method::get, "GET", text, {}, nullptr};
    if (corbel::path_pattern::parse(text, pattern)) throw std::logic_error(text);
    for (const auto& each : pattern.segments)
      if (each.what != corbel::path_pattern::segment::kind::literal) entry.params.push_back(each.text);
    if (!tree.add(std::move(entry), pattern, taken)) throw std::logic_error(text);
  };
  for (int i = 0; i < resources; ++i) {
    add("/api/v1/resource" + std::to_string(i));
    add("/api/v1/resource" + std::to_string(i) + "/:id/items/:itemId");
  }
  add("/plaintext");
  add("/api/v1/projects/:id/tasks/:taskId");
  tree.finish();
}

void path_tree(benchmark::State& state, const char* target, bool known) {
  corbel::path_tree tree;
  plant(tree, static_cast<int>(state.range(0)) / 2);
  const corbel::app_context context;
  corbel::request in;
  for (auto _ : state) {
    requests::fill(in, context, "GET", target);
    const auto found = tree.find(in);
    if ((found.route != nullptr) != known) state.SkipWithError("wrong match");
    benchmark::DoNotOptimize(found);
  }
}
BENCHMARK_CAPTURE(path_tree, literal, "/plaintext", true)->Arg(0)->Arg(100)->Arg(1000);
BENCHMARK_CAPTURE(path_tree, params, "/api/v1/projects/42/tasks/1337", true)->Arg(0)->Arg(100)->Arg(1000);
BENCHMARK_CAPTURE(path_tree, escaped, "/api/v1/projects/4%32/tasks/13%2F37", true)->Arg(100);
BENCHMARK_CAPTURE(path_tree, unknown, "/api/v1/projects/42/nothing", false)->Arg(100);

/// What `fill` itself takes of the figures around it.
void fill_request(benchmark::State& state) {
  const corbel::app_context context;
  corbel::request in;
  for (auto _ : state) {
    requests::fill(in, context, "GET", "/plaintext");
    benchmark::DoNotOptimize(in);
  }
}
BENCHMARK(fill_request);

struct query {
  int page = 1;
  std::optional<std::string> sort;
};
constexpr auto describe(corbel::tag<query>) {
  using namespace corbel::rules;
  return object(field("page", &query::page, number().min(1).defaulted()), field("sort", &query::sort));
}

enum class layers { none, usual };

struct wired {
  explicit wired(layers which) {
    auto root = router.root();
    if (which == layers::usual) root.use(corbel::security_headers{}).use(corbel::request_id{});
    add_measured_routes(root);
    root.get("/nothing", [] {});
    root.get("/path/:id", [](corbel::path<int, "id"> id) { benchmark::DoNotOptimize(*id); });
    root.get("/query", [](corbel::query<query> in) { benchmark::DoNotOptimize(in->page); });
    root.get("/header", [](corbel::header<std::string, "host"> in) { benchmark::DoNotOptimize(in->size()); });
    const auto wrong = router.build(context.provided);
    if (!wrong.empty()) throw std::logic_error(wrong.front());
  }
  corbel::app_context context;
  corbel::router router;
};

void serve(benchmark::State& state, layers which, const char* method, const char* target, int status) {
  wired all(which);
  const std::string_view body = std::string_view(method) == "POST" ? measured_body : std::string_view();
  corbel::request in;
  corbel::response out;
  for (auto _ : state) {
    requests::fill(in, all.context, method, target, body);
    out.clear();
    all.router.resolve(in).serve(in, out);
    if (static_cast<int>(out.status()) != status) state.SkipWithError("wrong answer");
    benchmark::DoNotOptimize(out);
  }
}
BENCHMARK_CAPTURE(serve, extract_nothing, layers::none, "GET", "/nothing", 204);
BENCHMARK_CAPTURE(serve, extract_path, layers::none, "GET", "/path/42", 204);
BENCHMARK_CAPTURE(serve, extract_query, layers::none, "GET", "/query?page=3&sort=name", 204);
BENCHMARK_CAPTURE(serve, extract_header, layers::none, "GET", "/header", 204);
BENCHMARK_CAPTURE(serve, plaintext_no_layers, layers::none, "GET", "/plaintext", 200);
BENCHMARK_CAPTURE(serve, plaintext, layers::usual, "GET", "/plaintext", 200);
BENCHMARK_CAPTURE(serve, json, layers::usual, "GET", "/json", 200);
BENCHMARK_CAPTURE(serve, route, layers::usual, "GET", "/api/v1/projects/42/tasks/1337", 200);
BENCHMARK_CAPTURE(serve, post, layers::usual, "POST", "/api/v1/projects", 201);
BENCHMARK_CAPTURE(serve, not_found, layers::usual, "GET", "/nowhere", 404);

}  // namespace
