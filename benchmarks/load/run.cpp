#include <unistd.h>

#include <algorithm>
#include <deque>
#include <stdexcept>

#include "load/plan.hpp"
#include "load/process_watch.hpp"
#include "load/user.hpp"

namespace load {
namespace {

/// Fewer than any server's backlog, of which the smallest is 5: who comes too many waits a second for his
/// next try.
constexpr std::size_t connecting_at_once = 4;

/// Reads the server's CPU at both ends of the measured time.
detached measure(stage& s, waiter& alarm, const process_watch& servers, const process_watch& self) {
  co_await alarm.until(s.from);
  const auto self_before = self.read();
  const auto before = servers.read();
  const auto began = clock::now();
  s.measuring = true;
  co_await alarm.until(s.to);
  const auto after = servers.read();
  const auto ended = clock::now();
  s.measuring = false;
  const auto self_after = self.read();
  const auto seconds = [](auto from, auto to) { return std::chrono::duration<double>(to - from).count(); };
  auto& r = s.result;
  r.seconds = seconds(began, ended);
  r.server_cpu = seconds(before.cpu, after.cpu);
  r.server_starved = seconds(before.starved, after.starved);
  r.load_cpu = seconds(self_before.cpu, self_after.cpu);
  r.load_starved = seconds(self_before.starved, self_after.starved);
}

/// Ends what is overdue, until nobody is busy, which it finds out at its next look.
detached watch_over(stage& s, waiter& alarm, std::deque<user>& users, std::chrono::milliseconds between) {
  while (s.busy) {
    co_await alarm.until(s.loop.now() + between);
    for (auto& each : users) each.give_up_on_slow();
  }
}

}  // namespace

std::string request_text(const plan& p) {
  std::string text =
      p.method + ' ' + p.path + " HTTP/1.1\r\nHost: " + p.host + ':' + std::to_string(p.port) + "\r\n";
  for (const auto& each : p.headers) text += each + "\r\n";
  if (!p.body.empty() || p.method == "POST" || p.method == "PUT" || p.method == "PATCH")
    text += "Content-Length: " + std::to_string(p.body.size()) + "\r\n";
  return text + "\r\n" + p.body;
}

outcome run(const plan& p) {
  stage s(p);
  const process_watch servers(p.servers), self({::getpid()});
  s.result.resident_before = servers.read().resident;

  waiter alarm(s.loop), watchdog(s.loop);
  const auto everyone = p.connections + p.idle;
  std::deque<user> users;
  for (std::size_t i = 0; i < everyone; ++i) users.emplace_back(s, i, p.connections);
  for (std::size_t i = 0; i < everyone; i += connecting_at_once) {
    for (auto j = i; j < std::min(everyone, i + connecting_at_once); ++j) users[j].prepare();
    watch_over(s, watchdog, users, std::chrono::milliseconds(1));  // the next ones wait for that look
    s.loop.run();
  }
  s.result.opened = static_cast<std::size_t>(
      std::count_if(users.begin(), users.end(), [](const user& u) { return u.answered(); }));
  if (s.result.opened == 0)
    throw std::runtime_error("nobody answers on " + p.host + ':' + std::to_string(p.port));
  s.result.resident_after = servers.read().resident;
  for (auto i = p.connections; i < everyone; ++i) users[i].rest();

  s.loop.refresh_now();
  s.first = s.loop.now() + std::chrono::milliseconds(1);
  s.from = s.first + p.warm_up;
  s.to = s.from + p.duration;
  s.deadline = s.to + p.patience;
  s.started = true;
  measure(s, alarm, servers, self);
  for (std::size_t i = 0; i < p.connections; ++i) users[i].take_part();
  watch_over(s, watchdog, users, std::chrono::milliseconds(20));
  s.loop.run();
  for (auto i = p.connections; i < everyone; ++i) s.result.all.idle_lost += users[i].lost();
  return std::move(s.result);
}

}  // namespace load
