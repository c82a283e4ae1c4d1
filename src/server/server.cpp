#include "corbel/server/server.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <stdexcept>

#include "corbel/observe/log.hpp"
#include "http/connection_facts.hpp"
#include "server/listening_sockets.hpp"
#include "server/server_impl.hpp"
#include "server/tls/context.hpp"

namespace corbel {
namespace {

/// 80 % of the descriptors this process may have: the rest is for files, databases and the log.
std::size_t descriptor_budget() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 800;
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
  if (l.buffered_bytes < l.body_bytes)
    wrong.push_back("limits.buffered_bytes is below limits.body_bytes: no such body could ever be read");
  if (s.shed_load && s.shed_above.count() <= 0)
    wrong.push_back("shed_above is not above 0: give it a time, or set shed_load to false");
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
  if (s.idle_grace.count() < 0 || s.drain_delay.count() < 0 || s.drain_timeout.count() < 0)
    wrong.push_back("idle_grace, drain_delay or drain_timeout is below 0: give it a time, or 0 for none");
  return wrong;
}

server::impl::impl(server_settings settings, handler& service, const app_context& context)
    : shared{std::move(settings), service, context}, tickets(std::make_shared<tls::ticket_keys>()) {
  shared.connection_limit = std::min(shared.settings.limits.connections, descriptor_budget());
}

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

void server::start(const std::vector<event_loop*>& loops, std::vector<int> listening) {
  const auto& settings = impl_->shared.settings;
  listening_sockets sockets(std::move(listening));
  if (const auto wrong = check(settings); !wrong.empty()) throw std::invalid_argument(wrong.front());
  impl_->trust_proxies();
  std::shared_ptr<const tls::context> tls;
  if (settings.tls && !(tls = impl_->load_tls()))
    throw std::invalid_argument(
        "the certificates have changed since they were checked, and cannot be used now");
  port_ = sockets.complete(settings, loops.size());
  listening_ = sockets.release();
  for (auto* loop : loops) {
    impl_->workers.push_back(std::make_unique<worker>(*loop, impl_->shared));
    impl_->workers.back()->tls = tls;
  }
  for (std::size_t i = 0; i < listening_.size(); ++i)
    loops[i % loops.size()]->post(
        [w = impl_->workers[i % loops.size()].get(), fd = listening_[i]] { w->listen(fd); });
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

std::uint64_t server::shed() const noexcept {
  return impl_->shared.shed.load(std::memory_order_relaxed);
}

}  // namespace corbel
