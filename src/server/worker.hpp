#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "corbel/http/context.hpp"
#include "corbel/http/handler.hpp"
#include "corbel/runtime/event_loop.hpp"
#include "corbel/server/settings.hpp"
#include "server/http1/serialize.hpp"
#include "server/load_gate.hpp"
#include "server/tls/context.hpp"

namespace corbel {

class connection;
class listener;
struct proxy_trust;

/// What all threads of a server share: settled before the first of them starts, but for the counter.
struct server_shared {
  server_settings settings;
  handler& service;
  const app_context& context;
  std::size_t connection_limit = 0;
  std::atomic<std::size_t> connections{0};
  std::atomic<std::uint64_t> shed{0};
  std::atomic<std::size_t> held{0};                      ///< bytes of memory, see `held_bytes`
  std::shared_ptr<const proxy_trust> proxies = nullptr;  ///< null when nobody is trusted
};

/// One thread's half of a server: its connections, and the buffers they take turns with.
class worker {
 public:
  /// A request's head and a body of usual size fit; what is larger gets memory of its own.
  static constexpr std::size_t input_size = 64 * 1024;

  worker(event_loop& l, server_shared& s);
  ~worker();

  event_loop& loop;
  server_shared& shared;
  const server_limits& limits() const noexcept { return shared.settings.limits; }

  std::unique_ptr<char[]> input;
  /// What new connections begin with; null without TLS. A reload replaces it.
  std::shared_ptr<const tls::context> tls;
  /// Whether a connection is nothing but requests from whoever is at its other end.
  bool plain() const noexcept { return !tls && !shared.proxies; }
  byte_buffer output;
  http1::date_line date;
  request in;
  response out;
  /// Handlers that have not ended, those of vanished clients included. Shared with them: they may end behind
  /// the server.
  std::shared_ptr<std::atomic<std::size_t>> answering = std::make_shared<std::atomic<std::size_t>>(0);
  load_gate gate;
  std::chrono::milliseconds keep_alive;  ///< what an idle connection is given
  bool busy = false;                     ///< a connection is using the buffers
  bool draining = false;                 ///< no connection is kept alive any more

  /// Accepts on one more socket.
  void listen(int listening_fd);
  void accepted(int fd, std::string peer);
  void closed(connection& gone) noexcept;
  /// Stops accepting, and lets every connection end as soon as its requests are answered. `handed_over`:
  /// whoever waits in the kernel is another process's.
  void drain(bool handed_over);
  /// Ends every connection; who waits for an answer is told why.
  void give_up() noexcept;
  void close_all() noexcept;
  /// Whether all connections together hold no more than they may, `held` bytes by now.
  bool note_held(std::size_t held) noexcept {
    if (held <= limits().buffered_bytes) [[likely]]
      return true;
    loop.lag().press(true);
    return false;
  }
  /// The same, looked up.
  bool memory_left() noexcept;
  /// Writes the answer to a request that is not served because there are too many.
  void turn_down(const resolved_route& route, request& asked, response& answer);
  std::size_t size() const noexcept { return count_; }

 private:
  std::vector<std::unique_ptr<listener>> listeners_;
  connection* first_ = nullptr;
  std::size_t count_ = 0;
  std::uint64_t shed_ = 0;  // since the log last told of it
  std::chrono::steady_clock::time_point shed_logged_{};
};

}  // namespace corbel
