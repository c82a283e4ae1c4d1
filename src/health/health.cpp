#include "corbel/health/health.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <mutex>

#include "corbel/base/json/writer.hpp"

namespace corbel {

struct health::report {
  bool healthy = true;
  std::string body;
  std::chrono::steady_clock::time_point made;
};

struct health::impl {
  struct named_check {
    std::string name;
    check is_connected;
  };
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

/// A check that throws has its answer. It must not throw out of the race below, which waits for the first
/// that succeeds.
task<bool> answer_of(health::check is_connected) {
  try {
    co_return co_await is_connected();
  } catch (const std::exception&) {
    // No waiting in a catch block, and no difference to the answer.
  }
  co_return false;
}

/// Throws operation_aborted when the caller is cancelled: that says nothing about what was looked at.
task<bool> holds(health::check is_connected, std::chrono::steady_clock::time_point until) {
  using namespace asio::experimental::awaitable_operators;
  asio::steady_timer limit(co_await asio::this_coro::executor, until);
  bool held = false;
  try {
    const auto first = co_await (answer_of(std::move(is_connected)) || limit.async_wait(asio::use_awaitable));
    held = first.index() == 0 && std::get<0>(first);
  } catch (const std::exception&) {
    // Looked at below: no waiting in a catch block.
  }
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none)
    throw boost::system::system_error(asio::error::operation_aborted);
  co_return held;
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

health& health::add(std::string name, check is_connected) {
  impl_->checks.push_back({std::move(name), std::move(is_connected)});
  return *this;
}

task<std::shared_ptr<const health::report>> health::look() {
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
  for (const auto& each : impl_->checks) {
    const bool connected = co_await holds(each.is_connected, now + check_limit);
    made->healthy = made->healthy && connected;
    members += ',';
    json::append_string(members, each.name);
    members += connected ? ":\"connected\"" : ":\"disconnected\"";
  }
  made->body = made->healthy ? "{\"status\":\"healthy\"" : "{\"status\":\"unhealthy\"";
  made->body += members + ",\"version\":";
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
           [](state<health> self) -> task<response> {
             const auto seen = co_await self->look();
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
           [](state<health> self) -> task<response> {
             if (self->draining_.load())
               co_return json_response(status::service_unavailable, R"({"status":"draining"})");
             const auto seen = co_await self->look();
             if (!seen->healthy)
               co_return json_response(status::service_unavailable, R"({"status":"unready"})");
             co_return json_response(status::ok, R"({"status":"ready"})");
           })
      .summary("Whether the service should be sent requests")
      .time_limit(probe_limit)
      .never_shed();
}

}  // namespace corbel
