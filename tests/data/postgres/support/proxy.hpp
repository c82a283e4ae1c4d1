#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <deque>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

/// The network between the driver and a server, for tests to break: it forwards TCP, and stops, cuts, delays
/// or swallows when it is told to. One thread.
class proxy {
 public:
  /// In front of 127.0.0.1:`port`.
  explicit proxy(std::uint16_t port) : to_(port) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    auto any = local(0);
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&any), sizeof any) == 0);
    REQUIRE(::listen(listener_, 128) == 0);
    socklen_t size = sizeof any;
    REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&any), &size) == 0);
    port_ = ntohs(any.sin_port);
    thread_ = std::thread([this] { forward_all(); });
  }
  /// In front of the server of a URL.
  explicit proxy(const std::string& url) : proxy(port_of(url)) {}
  ~proxy() {
    stopping_ = true;
    thread_.join();
    for (auto& one : pairs_) close(one);
    ::close(listener_);
  }
  proxy(const proxy&) = delete;
  proxy& operator=(const proxy&) = delete;

  std::uint16_t port() const { return port_; }
  /// `url` through this proxy.
  std::string in(const std::string& url) const {
    const auto at = url.find("127.0.0.1:") + 10;
    const auto end = url.find_first_not_of("0123456789", at);
    return url.substr(0, at) + std::to_string(port_) + (end == std::string::npos ? "" : url.substr(end));
  }

  /// Nothing passes any more, and nobody is told: not of what comes, and not of who comes.
  void stall(bool yes) {
    stalled_ = yes;
    while (obeyed_ != yes) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  /// For those connections that there are, nothing passes ever again, and nobody is told; others may come: a
  /// firewall on the way has lost its memory.
  void forget() {
    forget_ = true;
    while (forget_ && !stopping_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  /// Answers from the server are held back for so long.
  void delay(std::chrono::milliseconds span) { delay_ = span.count(); }
  /// Closes what there is, at once and without a word.
  void cut() {
    cut_ = true;
    while (cut_ && !stopping_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  /// Closes everything as soon as the server has answered what a client sent with these bytes in it, and
  /// keeps that answer. Once.
  void swallow_answer_to(std::string bytes) {
    const std::lock_guard lock(mutex_);
    swallowed_ = std::move(bytes);
  }
  bool swallowed() {
    const std::lock_guard lock(mutex_);
    return swallowed_.empty();
  }
  /// Closes everything as soon as a client sends these bytes, which the server never sees. From then on
  /// whoever comes is turned away, until `let_in`.
  void lose(std::string bytes) {
    const std::lock_guard lock(mutex_);
    lost_ = std::move(bytes);
  }
  bool has_lost() const { return closed_; }
  void let_in() { closed_ = false; }
  int accepted() const { return accepted_; }
  /// When somebody came who was turned away, or for whom the server was not there.
  std::vector<std::chrono::steady_clock::time_point> turned_away() {
    const std::lock_guard lock(mutex_);
    return turned_away_;
  }

 private:
  using clock = std::chrono::steady_clock;
  struct chunk {
    clock::time_point due;
    std::string bytes;
  };
  struct pair {
    int client;
    int server;
    std::deque<chunk> to_client;
    std::deque<chunk> to_server;
    bool swallows = false;
    bool forgotten = false;
  };

  static std::uint16_t port_of(const std::string& url) {
    return static_cast<std::uint16_t>(std::stoi(url.substr(url.find("127.0.0.1:") + 10)));
  }
  static sockaddr_in local(std::uint16_t port) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(port);
    return at;
  }
  static void close(pair& one) {
    ::close(one.client);
    ::close(one.server);
  }

  void turn_away(int client) {
    const std::lock_guard lock(mutex_);
    turned_away_.push_back(clock::now());
    ::close(client);
  }
  void accept_one() {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0) return;
    if (closed_) return turn_away(client);
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto at = local(to_);
    if (::connect(server, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) {
      ::close(server);
      return turn_away(client);
    }
    ::fcntl(server, F_SETFL, O_NONBLOCK);
    const int yes = 1;
    ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    ::setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    ++accepted_;
    pairs_.push_back({client, server, {}, {}, false, false});
  }

  /// False when the sender has gone.
  bool take(int from, std::deque<chunk>& into, clock::time_point due, std::string& got) {
    if (into.size() > 64) return true;  // whoever does not read makes the other wait
    std::array<char, 65536> room;
    const auto n = ::recv(from, room.data(), room.size(), 0);
    if (n == 0 || (n < 0 && errno != EAGAIN)) return false;
    if (n > 0) {
      got.assign(room.data(), static_cast<std::size_t>(n));
      into.push_back({due, got});
    }
    return true;
  }
  static bool give(int to, std::deque<chunk>& from) {
    while (!from.empty() && from.front().due <= clock::now()) {
      auto& bytes = from.front().bytes;
      const auto n = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n < 0) return errno == EAGAIN;
      bytes.erase(0, static_cast<std::size_t>(n));
      if (bytes.empty()) from.pop_front();
    }
    return true;
  }

  bool forward(pair& one) {
    const auto now = clock::now();
    std::string got;
    if (!take(one.client, one.to_server, now, got)) return false;
    if (!got.empty()) {
      const std::lock_guard lock(mutex_);
      if (!swallowed_.empty() && got.find(swallowed_) != std::string::npos) one.swallows = true;
      if (!lost_.empty() && got.find(lost_) != std::string::npos) {
        lost_.clear();
        closed_ = true;
        return false;
      }
    }
    if (!give(one.server, one.to_server)) return false;
    got.clear();
    if (!take(one.server, one.to_client, now + std::chrono::milliseconds(delay_), got)) {
      // What it said last still arrives.
      give(one.client, one.to_client);
      return false;
    }
    if (one.swallows && !got.empty()) {
      const std::lock_guard lock(mutex_);
      swallowed_.clear();
      return false;
    }
    return give(one.client, one.to_client);
  }

  void forward_all() {
    while (!stopping_) {
      std::vector<pollfd> all;
      const bool stalled = stalled_;
      obeyed_ = stalled;
      if (!stalled) {
        all.push_back({listener_, POLLIN, 0});
        for (const auto& one : pairs_) {
          if (one.forgotten) continue;
          all.push_back({one.client, static_cast<short>(one.to_server.size() > 64 ? 0 : POLLIN), 0});
          all.push_back({one.server, static_cast<short>(one.to_client.size() > 64 ? 0 : POLLIN), 0});
        }
      }
      ::poll(all.data(), all.size(), 1);
      if (cut_) {
        for (auto& one : pairs_) close(one);
        pairs_.clear();
        cut_ = false;
      }
      if (forget_) {
        for (auto& one : pairs_) one.forgotten = true;
        forget_ = false;
      }
      if (stalled) continue;
      accept_one();
      for (auto at = pairs_.begin(); at != pairs_.end();) {
        if (at->forgotten || forward(*at)) {
          ++at;
        } else {
          close(*at);
          at = pairs_.erase(at);
        }
      }
    }
  }

  const std::uint16_t to_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::list<pair> pairs_;
  std::mutex mutex_;
  std::string swallowed_;
  std::string lost_;
  std::vector<clock::time_point> turned_away_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> stalled_{false};
  std::atomic<bool> obeyed_{false};
  std::atomic<bool> cut_{false};
  std::atomic<bool> forget_{false};
  std::atomic<bool> closed_{false};
  std::atomic<long long> delay_{0};
  std::atomic<int> accepted_{0};
  std::thread thread_;
};
