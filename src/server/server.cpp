#include "corbel/server/server.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <stdexcept>

#include "corbel/observe/log.hpp"
#include "http/connection_facts.hpp"
#include "server/listener.hpp"
#include "server/tls/context.hpp"
#include "server/worker.hpp"

namespace corbel {
namespace {

/// 80 % of the descriptors this process may have: the rest is for files, databases and the log.
std::size_t descriptor_budget() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 800;
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;  // the soft limit only guards old programs that use select()
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) (void)::getrlimit(RLIMIT_NOFILE, &limit);
  }
  return static_cast<std::size_t>(limit.rlim_cur) / 5 * 4;
}

}  // namespace

std::vector<std::string> check(const server_settings& s) {
  std::vector<std::string> wrong;
  const auto& l = s.limits;
  if (l.request_line < 64)
    wrong.push_back("limits.request_line is below 64 bytes: no real request line fits");
  constexpr std::size_t room = worker::input_size - 1024;  // compared one by one: a sum might run over
  if (l.request_line > room || l.header_bytes > room - l.request_line)
    wrong.push_back(
        "limits.request_line and limits.header_bytes together are above 63 KiB: make them smaller");
  if (l.connections == 0) wrong.push_back("limits.connections is 0: allow at least one");
  if (l.requests_per_connection == 0)
    wrong.push_back("limits.requests_per_connection is 0: allow at least one");
  for (const auto& [name, value] : {std::pair{"header_timeout", l.header_timeout},
                                    {"request_timeout", l.request_timeout},
                                    {"keep_alive_timeout", l.keep_alive_timeout},
                                    {"handler_timeout", l.handler_timeout},
                                    {"write_timeout", l.write_timeout},
                                    {"tls_handshake_timeout", l.tls_handshake_timeout}})
    if (value.count() <= 0)
      wrong.push_back(std::string("limits.") + name + " is not above 0: give it a time");
    else if (value > std::chrono::hours(24 * 365))  // later sums must not run over
      wrong.push_back(std::string("limits.") + name + " is above a year: make it shorter");
  for (const auto& each : s.trusted_proxies)
    if (!ip_network::parse(each))
      wrong.push_back(
          "trusted_proxies: \"" + each +
          "\" is no network: write it like 10.0.0.0/8, fd00::/8 or 192.0.2.7, with no bit set behind the "
          "prefix");
  if (s.proxy_protocol == proxy_protocol::required && s.trusted_proxies.empty())
    wrong.push_back(
        "proxy_protocol is required, but trusted_proxies is empty: name the proxies that may speak it");
  if (s.tls)
    for (auto& each : tls::load(*s.tls, std::make_shared<tls::ticket_keys>()).mistakes)
      wrong.push_back(std::move(each));
  return wrong;
}

struct server::impl {
  impl(server_settings settings, handler& service, const app_context& context)
      : shared{std::move(settings), service, context} {
    shared.connection_limit = std::min(shared.settings.limits.connections, descriptor_budget());
  }

  void trust_proxies();
  /// What the files hold now, or null, which is in the log then.
  std::shared_ptr<const tls::context> load_tls();

  server_shared shared;
  std::shared_ptr<tls::ticket_keys> tickets = std::make_shared<tls::ticket_keys>();
  std::vector<std::unique_ptr<worker>> workers;
};

void server::impl::trust_proxies() {
  const auto& s = shared.settings;
  if (s.trusted_proxies.empty()) return;
  auto made = std::make_shared<proxy_trust>();
  for (const auto& each : s.trusted_proxies)
    if (const auto network = ip_network::parse(each)) made->networks.push_back(*network);
  made->x_forwarded = s.proxy_headers != proxy_headers::forwarded;
  made->forwarded = s.proxy_headers != proxy_headers::x_forwarded;
  shared.proxies = std::move(made);
}

std::shared_ptr<const tls::context> server::impl::load_tls() {
  auto read = tls::load(*shared.settings.tls, tickets);
  const auto& log = shared.context.log;
  for (const auto& each : read.warnings) log.warn("a certificate needs attention", {{"cause", each}});
  for (const auto& each : read.mistakes) log.error("the certificates cannot be used", {{"cause", each}});
  return std::move(read.made);
}

server::server(server_settings settings, handler& service, const app_context& context)
    : impl_(std::make_unique<impl>(std::move(settings), service, context)) {}

server::~server() = default;

void server::start(const std::vector<event_loop*>& loops) {
  const auto& settings = impl_->shared.settings;
  if (const auto wrong = check(settings); !wrong.empty()) throw std::invalid_argument(wrong.front());
  impl_->trust_proxies();
  std::shared_ptr<const tls::context> tls;
  if (settings.tls && !(tls = impl_->load_tls()))
    throw std::invalid_argument(
        "the certificates have changed since they were checked, and cannot be used now");
  port_ = settings.port;
  claim_port(settings.host, port_);
  std::vector<int> listening;
  try {
    for (std::size_t i = 0; i < loops.size(); ++i) {
      listening.push_back(open_listener(settings.host, port_, settings.backlog));
      port_ = port_of(listening.front());
    }
  } catch (...) {
    for (const int fd : listening) ::close(fd);
    throw;
  }
  for (std::size_t i = 0; i < loops.size(); ++i) {
    impl_->workers.push_back(std::make_unique<worker>(*loops[i], impl_->shared));
    impl_->workers.back()->tls = tls;
    loops[i]->post([w = impl_->workers.back().get(), fd = listening[i]] { w->listen(fd); });
  }
}

bool server::reload_certificates() {
  if (!impl_->shared.settings.tls) return true;
  const auto fresh = impl_->load_tls();
  if (!fresh) return false;
  for (auto& w : impl_->workers) w->loop.post([raw = w.get(), fresh] { raw->tls = fresh; });
  impl_->shared.context.log.info("certificates reloaded");
  return true;
}

std::size_t server::connections() const noexcept {
  return impl_->shared.connections.load(std::memory_order_relaxed);
}

namespace {

/// How long cancelled handlers may take to end.
constexpr std::chrono::seconds cancel_time{1};

/// Looks again and again, on one loop, whether all connections are gone and all handlers have ended.
struct drain_watch : std::enable_shared_from_this<drain_watch> {
  drain_watch(std::vector<worker*> w, server_shared& s, std::function<void()> d)
      : timer(w.front()->loop.context()),
        workers(std::move(w)),
        shared(s),
        done(std::move(d)),
        until(std::chrono::steady_clock::now() + shared.settings.drain_timeout) {}

  bool over() const {
    return shared.connections.load() == 0 && std::all_of(workers.begin(), workers.end(), [](const worker* w) {
             return w->answering->load(std::memory_order_acquire) == 0;
           });
  }

  void look() {
    if (over()) return done();
    if (std::chrono::steady_clock::now() >= until) {
      if (std::exchange(cancelled, true)) return done();
      // Who has not answered by now is cancelled; what it stands on is still there while it ends.
      until += cancel_time;
      for (auto* w : workers) w->loop.post([w] { w->close_all(); });
    }
    timer.expires_after(std::chrono::milliseconds(10));
    timer.async_wait([self = shared_from_this()](const boost::system::error_code& failed) {
      if (!failed) self->look();
    });
  }

  boost::asio::steady_timer timer;
  std::vector<worker*> workers;
  server_shared& shared;
  std::function<void()> done;
  std::chrono::steady_clock::time_point until;
  bool cancelled = false;
};

}  // namespace

void server::drain(std::function<void()> done) {
  if (impl_->workers.empty()) return done();
  // Each worker counts as a connection until it has drained: it may have some that it does not know of yet.
  auto& open = impl_->shared.connections;
  open.fetch_add(impl_->workers.size());
  std::vector<worker*> all;
  for (auto& w : impl_->workers) {
    all.push_back(w.get());
    w->loop.post([raw = w.get(), &open] {
      raw->drain();
      open.fetch_sub(1);
    });
  }
  auto watch = std::make_shared<drain_watch>(all, impl_->shared, std::move(done));
  all.front()->loop.post([watch] { watch->look(); });
}

}  // namespace corbel
