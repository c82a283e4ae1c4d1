#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <corbel/http/handler.hpp>
#include <corbel/server/settings.hpp>

namespace corbel {

struct app_context;
class event_loop;

/// What is wrong with the settings, each with the way to mend it; empty when nothing is.
std::vector<std::string> check(const server_settings& settings);

/// An HTTP/1.1 server on one or more event loops: one listener and its own connections for each, nothing
/// shared on the request path. `start`, `drain` and `reload_certificates` are called from one thread, which
/// need not be a loop's.
class server {
 public:
  /// `service` and `context` must outlive the server.
  server(server_settings settings, handler& service, const app_context& context);
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// Listens, and serves on each of the loops, which must outlive the server. Throws std::system_error when
  /// the port cannot be had, std::invalid_argument when `check` finds fault with the settings.
  void start(const std::vector<event_loop*>& loops) { start(loops, {}); }
  /// The same, on sockets that listen already, which it takes over whatever comes of it: those of the process
  /// that it replaces, or of a service manager. Nobody who waits in their queues is lost. The settings' host
  /// and port count only when there are none.
  void start(const std::vector<event_loop*>& loops, std::vector<int> listening);
  /// The sockets it listens on. They are its own, until `drain`.
  const std::vector<int>& listening() const noexcept { return listening_; }
  /// The port it listens on, also when the system chose it.
  std::uint16_t port() const noexcept { return port_; }

  /// Goes on for `drain_delay`, then stops listening and ends every connection behind its answers in flight;
  /// idle ones behind one more answer, or after `idle_grace`. `done` runs, on one of the loops, when no
  /// connection is left and no handler runs. What is left after `drain_timeout` is cancelled and has a second
  /// to end.
  void drain(std::function<void()> done);
  /// The same without delay, when another process listens on the same sockets by now.
  void drain_handed_over(std::function<void()> done);

  /// Reads the certificates, keys and authorities again, for the connections from now on; those that are open
  /// go on. When anything is wrong with the files, says so in the log, keeps what it has, and returns false.
  /// True without TLS.
  bool reload_certificates();

  std::size_t connections() const noexcept;
  /// Requests that were refused because there were too many. Thread-safe.
  std::uint64_t shed() const noexcept;

 private:
  void begin_drain(std::function<void()> done, bool handed_over);

  struct impl;
  std::unique_ptr<impl> impl_;
  std::uint16_t port_ = 0;
  std::vector<int> listening_;
};

}  // namespace corbel
