// The service that handover_test.py replaces under load. Its settings come from the environment.
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <corbel/corbel.hpp>
#include <cstdlib>
#include <stdexcept>

namespace {

corbel::task<std::string> nap() {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, std::chrono::milliseconds(20));
  co_await timer.async_wait(boost::asio::use_awaitable);
  co_return "napped";
}

corbel::task<> fail() {
  throw std::runtime_error("told to fail");
  co_return;
}

}  // namespace

int main() {
  corbel::app_settings settings;
  settings.server = corbel::settings::from_environment<corbel::server_settings>();
  corbel::app app(std::move(settings));
  app.get("/ping", [] { return std::string("pong"); });
  app.get("/nap", &nap);
  if (std::getenv("FAIL")) app.on_start("component", &fail);
  return app.run();
}
