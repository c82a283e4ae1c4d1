#pragma once

#include <cstdint>
#include <string>

#include "corbel/runtime/deadline_wheel.hpp"
#include "corbel/runtime/readiness.hpp"
#include "server/worker.hpp"

namespace corbel {

/// Accepts on one descriptor, which it owns, for one worker.
class listener final : public readiness_handler, public deadline_wheel::entry {
 public:
  listener(worker& home, int fd);
  ~listener();

  void on_ready(readiness what) override;
  /// Accepts whom the kernel has let in by now: they believe to be heard. To be called before this is
  /// destroyed.
  void accept_rest();

 private:
  void on_deadline() override;
  /// False when nobody waits any more.
  bool accept_some();
  void turn_away(int fd) noexcept;

  worker& home_;
  int fd_;
};

/// A non-blocking listening socket that shares its port with the server's other threads (SO_REUSEPORT).
/// `host` is a numeric address. Throws std::system_error, or std::invalid_argument for another kind of host.
int open_listener(const std::string& host, std::uint16_t port, int backlog);

/// Throws std::system_error when another socket listens on that port already. SO_REUSEPORT alone would let
/// two programs share it without a word.
void claim_port(const std::string& host, std::uint16_t port);

/// Whether a listening socket has that address; port 0 stands for any.
bool listens_on(int fd, const std::string& host, std::uint16_t port);

/// The port that a listening socket got.
std::uint16_t port_of(int fd);

}  // namespace corbel
