// The service that overload.py and hostile.py ask: overload_server --port N [--threads N] [--shed no]
#include <charconv>
#include <corbel/corbel.hpp>
#include <corbel/runtime/blocking_pool.hpp>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>

namespace {

using namespace std::chrono_literals;

/// Keeps its thread busy for a millisecond.
std::string spin() {
  const auto until = std::chrono::steady_clock::now() + 1ms;
  while (std::chrono::steady_clock::now() < until) {
  }
  return "done";
}

void block() {
  std::this_thread::sleep_for(10ms);
}

/// Waits for one of four places, each taken for ten milliseconds.
corbel::task<std::string> queue(corbel::state<corbel::blocking_pool> pool) {
  co_await pool->run(&block);
  co_return "done";
}

corbel::task<std::string> upload(corbel::body_stream in) {
  std::size_t size = 0;
  for (auto piece = co_await in.read(); !piece.empty(); piece = co_await in.read()) size += piece.size();
  co_return std::to_string(size);
}

}  // namespace

int main(int argc, char** argv) {
  const auto option = [&](std::string_view name, std::string_view otherwise) {
    for (int i = 1; i + 1 < argc; ++i)
      if (name == argv[i]) return std::string_view(argv[i + 1]);
    return otherwise;
  };
  const auto number = [&](std::string_view name, std::string_view otherwise) {
    const auto text = option(name, otherwise);
    int value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  };
  corbel::app_settings settings;
  auto& server = settings.server;
  server.port = static_cast<std::uint16_t>(number("--port", "18080"));
  server.threads = static_cast<std::size_t>(number("--threads", "1"));
  server.shed_load = option("--shed", "yes") == "yes";
  // A run takes seconds, not minutes: the same limits, sooner.
  const std::chrono::milliseconds patience{number("--patience", "30000")};
  auto& limits = server.limits;
  limits.header_timeout = std::min(limits.header_timeout, patience);
  limits.request_timeout = limits.write_timeout = limits.keep_alive_timeout = patience;

  corbel::blocking_pool pool(4, 100'000);
  corbel::app app(std::move(settings));
  app.provide(pool);
  app.get("/plaintext", [] { return std::string("Hello, World!"); });
  app.get("/spin", &spin);
  app.get("/queue", &queue);
  app.get("/large", [] { return std::string(4 * 1024 * 1024, 'x'); });
  app.post("/body", [](const corbel::request& in) { return std::to_string(in.body().size()); });
  app.post("/upload", &upload);
  return app.run();
}
