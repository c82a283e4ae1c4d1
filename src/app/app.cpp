#include "corbel/app/app.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "app/impl.hpp"
#include "app/inject_run.hpp"
#include "corbel/middleware/request_id.hpp"
#include "corbel/middleware/security_headers.hpp"

namespace corbel {
namespace {

std::string list_of(const std::vector<std::string>& mistakes) {
  std::string text = "the application is not wired right; it does not start before all of this is mended:";
  for (const auto& each : mistakes) text += "\n  - " + each;
  return text;
}

}  // namespace

wiring_error::wiring_error(std::vector<std::string> mistakes)
    : std::runtime_error(list_of(mistakes)), mistakes_(std::move(mistakes)) {}

app::impl::impl(app_settings s)
    : settings(std::move(s)),
      context{settings.clock, settings.log, {}},
      health(settings.version),
      router({settings.trailing_slash, settings.server.limits.body_bytes}) {}

void app::impl::build() {
  if (built && mistakes.empty()) return;
  if (built) throw wiring_error(mistakes);
  for (auto& each : check(settings.server)) mistakes.push_back(std::move(each));
  if (settings.health_routes) health.mount(router.root());
  for (auto& each : router.build(context.provided)) mistakes.push_back(std::move(each));
  built = true;
  if (!mistakes.empty()) throw wiring_error(mistakes);
}

void app::impl::tell_listening() const {
  const auto& host = settings.server.host;
  const auto where = host.find(':') == std::string::npos ? host : '[' + host + ']';
  const auto url =
      (settings.server.tls ? "https://" : "http://") + where + ':' + std::to_string(server->port());
  context.log.info("listening", {{"url", url}, {"version", settings.version}});
  for (const auto& tell : listening) tell(url);
}

app::app() : app(app_settings{}) {}

app::app(app_settings settings) : impl_(std::make_unique<impl>(std::move(settings))) {
  impl_->context.provided.provide(impl_->health);
  if (!impl_->settings.default_middleware) return;
  impl_->router.root()
      .use(security_headers{})  // outermost: on every response, whatever another layer makes of it
      .use(request_id{});       // before anything that logs or fails, so that both can name the request
}

app::~app() {
  if (impl_->injects) stop_injecting(*impl_->injects, impl_->lifecycle);
}

route_group app::routes() noexcept {
  return impl_->router.root();
}
corbel::health& app::health() noexcept {
  return impl_->health;
}
const logger& app::log() const noexcept {
  return impl_->context.log;
}
const corbel::clock& app::clock() const noexcept {
  return *impl_->context.time;
}
services& app::provided() noexcept {
  return impl_->context.provided;
}
std::uint16_t app::port() const noexcept {
  return impl_->server ? impl_->server->port() : std::uint16_t{0};
}
bool app::reload_certificates() {
  return !impl_->server || impl_->server->reload_certificates();
}
std::vector<std::string> app::list_routes() const {
  return impl_->router.list();
}
std::vector<route_info> app::route_table() const {
  return impl_->router.table();
}

void app::note_provided(bool fresh, std::string_view name) {
  if (!fresh)
    impl_->mistakes.push_back(
        "provide(" + std::string(name) +
        "): there is one already; provide each type once, or give the second a type of its own");
}

app& app::component(std::string name, std::function<task<>()> start, std::function<task<>()> stop) {
  impl_->lifecycle.add(std::move(name), std::move(start), std::move(stop));
  return *this;
}

app& app::on_listening(std::function<void(const std::string& url)> tell) {
  impl_->listening.push_back(std::move(tell));
  return *this;
}

task<> app::impl::stop_components() {
  const auto failed = co_await lifecycle.stop();
  for (const auto& each : failed) context.log.error("a component did not stop", {{"cause", each}});
}

void app::start(boost::asio::io_context& host, std::function<void(std::exception_ptr)> started) {
  impl_->build();
  impl_->host_loop = std::make_unique<event_loop>(host);
  impl_->server = std::make_unique<server>(impl_->settings.server, impl_->router, impl_->context);
  impl_->starting = true;
  boost::asio::co_spawn(host, impl_->lifecycle.start(),
                        [this, told = std::move(started)](std::exception_ptr failed) mutable {
                          if (!failed) {
                            try {
                              impl_->server->start({impl_->host_loop.get()});
                              impl_->tell_listening();
                            } catch (...) {
                              failed = std::current_exception();
                            }
                          }
                          if (!failed) return impl_->has_started({}, *this, std::move(told));
                          impl_->end_host([this, failed, last = std::move(told)]() mutable {
                            impl_->has_started(failed, *this, std::move(last));
                          });
                        });
}

void app::impl::has_started(std::exception_ptr failed, app& self,
                            std::function<void(std::exception_ptr)> told) {
  starting = false;
  auto stop_now = std::exchange(stop_wanted, {});
  told(failed);
  if (stop_now) self.stop(std::move(stop_now));
}

void app::impl::end_host(std::function<void()> ended) {
  boost::asio::co_spawn(host_loop->context(), stop_components(),
                        [this, last = std::move(ended)](std::exception_ptr) {
                          server.reset();
                          host_loop.reset();
                          last();
                        });
}

void app::stop(std::function<void()> stopped) {
  impl_->health.drain();
  if (impl_->starting) {
    impl_->stop_wanted = std::move(stopped);
    return;
  }
  if (!impl_->server) return stopped();  // it never listened
  impl_->server->drain([this, told = std::move(stopped)]() mutable { impl_->end_host(std::move(told)); });
}

injected_response app::inject(const injected_request& request) {
  impl_->build();
  if (!impl_->injects) {
    auto context = std::make_unique<boost::asio::io_context>(1);
    start_injecting(*context, impl_->lifecycle);
    impl_->injects = std::move(context);
  }
  return run_injected(*impl_->injects, impl_->router, impl_->context, impl_->settings.server.limits, request);
}

}  // namespace corbel
