#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

/// A server of the tests' own that says exactly what it is told to, on loopback, one thread a connection. It
/// shares no code with the client it tests.
class raw_server {
 public:
  class peer {
   public:
    peer(int fd, int number) : fd_(fd), number_(number) {}
    /// How many connections came before this one.
    int number() const noexcept { return number_; }
    /// The next request, its body by Content-Length included; empty when the client has gone.
    std::string request();
    bool send(std::string_view bytes);
    bool send_bytewise(std::string_view bytes);
    /// Whether the client closes without sending more.
    bool ends();
    /// Passes bytes to and from another port on loopback until either side ends.
    void splice(std::uint16_t port);
    /// Ends with a reset.
    void reset();
    int fd() const noexcept { return fd_; }

   private:
    int fd_;
    int number_;
    std::string buffer_;
  };
  using script = std::function<void(peer&)>;

  /// The connection is closed when the script returns.
  explicit raw_server(script s);
  ~raw_server();
  raw_server(const raw_server&) = delete;
  raw_server& operator=(const raw_server&) = delete;

  std::uint16_t port() const noexcept { return port_; }
  std::string url(std::string_view path = "/") const;
  int connections() const noexcept { return connections_; }
  /// All requests in the order in which they came.
  std::vector<std::string> requests() const;

 private:
  friend class peer;
  void accept();

  script script_;
  int listener_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::string> requests_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

/// "HTTP/1.1 200 OK" with that body and its length.
std::string ok(std::string_view body, std::string_view more_headers = {});
