#include "corbel/health/health.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <mutex>

#include "base/exception_text.hpp"
#include "corbel/base/json/writer.hpp"
#include "corbel/http/request.hpp"
#include "corbel/observe/log.hpp"

namespace corbel {

struct health::report {
  bool healthy = true;  // or degraded
  std::string body;
  std::chrono::steady_clock::time_point made;
};

struct health::impl {
  struct named_check {
    std::string name;
    check is_connected;
    failure_status when_it_fails;
    // What the log was told last; guarded by `mutex`.
    std::string why{};  // empty while it holds
    std::chrono::steady_clock::time_point told{};
  };
  void tell(named_check& of, const std::string& why, const logger& log);

  std::string version;
  std::vector<named_check> checks;
  std::mutex mutex;  // guards what follows; never held across a wait
  std::shared_ptr<const report> last;
  bool looking = false;
};

namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds good_for{1};
/// All checks of one report together; what has not answered by then is not connected.
constexpr std::chrono::seconds check_limit{4};
/// A probe that waits longer than this has its answer.
constexpr std::chrono::seconds probe_limit{5};

/// A failing check is told of again after so long, for whoever looks at the last lines of a log.
constexpr std::chrono::minutes told_again_after{1};
/// And with another reason after so long: a reason may have a number in it that is another one each time.
constexpr std::chrono::seconds other_reason_after{10};

/// Empty when the check holds, else why it does not. A check that throws has its answer, and must not throw
/// out of the race below, which waits for the first that succeeds.
task<std::string> reason_against(health::check is_connected) {
  std::string why;
  try {
    if (!co_await is_connected()) why = "the check gave false";
  } catch (...) {
    why = exception_text(std::current_exception());
    if (why.empty()) why = "the check threw an exception without a text";
  }
  co_return why;
}

/// Likewise, within a time. Throws operation_aborted when the caller is cancelled: that says nothing about
/// what was looked at.
task<std::string> reason_in_time(health::check is_connected, std::chrono::steady_clock::time_point until) {
  using namespace asio::experimental::awaitable_operators;
  asio::steady_timer limit(co_await asio::this_coro::executor, until);
  std::string why = "the checks did not end within " + std::to_string(check_limit.count()) + " s";
  try {
    auto first = co_await (reason_against(std::move(is_connected)) || limit.async_wait(asio::use_awaitable));
    if (first.index() == 0) why = std::get<0>(std::move(first));
  } catch (const std::exception&) {
    // Looked at below: no waiting in a catch block.
  }
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none)
    throw boost::system::system_error(asio::error::operation_aborted);
  co_return why;
}

response json_response(status s, std::string_view body) {
  response out(s);
  out.body(body, "application/json");
  out.set("Cache-Control", "no-store");
  return out;
}

}  // namespace

health::health(std::string version) : impl_(std::make_unique<impl>()) {
  impl_->version = std::move(version);
}
health::~health() = default;

health& health::add(std::string name, check is_connected, failure_status when_it_fails) {
  impl_->checks.push_back({std::move(name), std::move(is_connected), when_it_fails});
  return *this;
}

void health::impl::tell(named_check& of, const std::string& why, const logger& log) {
  const auto now = std::chrono::steady_clock::now();
  {
    const std::lock_guard lock(mutex);
    const bool was_failing = !of.why.empty();
    if (why.empty() && !was_failing) return;
    const auto pause = of.why == why ? std::chrono::seconds(told_again_after) : other_reason_after;
    if (!why.empty() && was_failing && now - of.told < pause) return;
    of.why = why;
    of.told = now;
  }
  const auto* status = of.when_it_fails == failure_status::degraded ? "degraded" : "unhealthy";
  if (why.empty())
    log.info("a health check succeeds again", {{"check", of.name}});
  else
    log.warn("a health check fails", {{"check", of.name}, {"status", status}, {"cause", why}});
}

task<std::shared_ptr<const health::report>> health::look(const request& in) {
  const auto now = std::chrono::steady_clock::now();
  {
    const std::lock_guard lock(impl_->mutex);
    // While another request looks, the last report is still the best there is.
    if (impl_->last && (impl_->looking || now - impl_->last->made < good_for)) co_return impl_->last;
    impl_->looking = true;
  }
  struct looked {
    impl& all;
    ~looked() {
      const std::lock_guard lock(all.mutex);
      all.looking = false;
    }
  } const done{*impl_};

  auto made = std::make_shared<report>();
  std::string members;
  bool degraded = false;
  bool unhealthy = false;
  for (auto& each : impl_->checks) {
    const auto why = co_await reason_in_time(each.is_connected, now + check_limit);
    impl_->tell(each, why, in.log());
    if (!why.empty()) (each.when_it_fails == failure_status::degraded ? degraded : unhealthy) = true;
    members += ',';
    json::append_string(members, each.name);
    members += why.empty() ? ":\"connected\"" : ":\"disconnected\"";
  }
  made->healthy = !unhealthy;
  made->body = "{\"status\":\"";
  made->body += unhealthy ? "unhealthy" : degraded ? "degraded" : "healthy";
  made->body += '"' + members + ",\"version\":";
  json::append_string(made->body, impl_->version);
  made->body += '}';
  made->made = now;
  const std::lock_guard lock(impl_->mutex);
  impl_->last = made;
  co_return made;
}

void health::mount(route_group routes) {
  routes
      .get("/health",
           [](const request& in, state<health> self) -> task<response> {
             const auto seen = co_await self->look(in);
             co_return json_response(seen->healthy ? status::ok : status::service_unavailable, seen->body);
           })
      .summary("Whether the service and what it stands on work")
      .time_limit(probe_limit)
      .never_shed();
  routes.get("/livez", [] { return json_response(status::ok, R"({"status":"alive"})"); })
      .summary("Whether the process answers")
      .never_shed();
  routes
      .get("/readyz",
           [](const request& in, state<health> self) -> task<response> {
             if (self->draining_.load())
               co_return json_response(status::service_unavailable, R"({"status":"draining"})");
             const auto seen = co_await self->look(in);
             if (!seen->healthy)
               co_return json_response(status::service_unavailable, R"({"status":"unready"})");
             co_return json_response(status::ok, R"({"status":"ready"})");
           })
      .summary("Whether the service should be sent requests")
      .time_limit(probe_limit)
      .never_shed();
}

}  // namespace corbel
