#pragma once

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

/// A server of the tests' own that lets anybody in and then does what a test wants. Each connection has a
/// thread.
class fake_server {
 public:
  /// One accepted connection, behind the greeting.
  class peer {
   public:
    explicit peer(int descriptor, const std::atomic<bool>& stopping)
        : descriptor_(descriptor), stopping_(stopping) {}

    /// The next bytes of the client; empty when it has gone or the test is over.
    std::string read() const {
      while (!stopping_) {
        pollfd one{descriptor_, POLLIN, 0};
        if (::poll(&one, 1, 10) <= 0) continue;
        std::array<char, 65536> room;
        const auto got = ::recv(descriptor_, room.data(), room.size(), 0);
        return got > 0 ? std::string(room.data(), static_cast<std::size_t>(got)) : std::string();
      }
      return {};
    }
    /// Reads until a message of this type is complete; false when the client has gone.
    bool read_until(char type) {
      for (;;) {
        while (unread_.size() >= 5) {
          std::size_t length = 0;
          for (std::size_t i = 1; i < 5; ++i) length = length << 8 | static_cast<unsigned char>(unread_[i]);
          if (unread_.size() < length + 1) break;
          const char found = unread_[0];
          unread_.erase(0, length + 1);
          if (found == type) return true;
        }
        const auto more = read();
        if (more.empty()) return false;
        unread_ += more;
      }
    }
    void send(std::string_view bytes) const {
      while (!bytes.empty() && !stopping_) {
        const auto sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
      }
    }

   private:
    const int descriptor_;
    const std::atomic<bool>& stopping_;
    std::string unread_;
  };

  /// `serve(peer)` runs for each connection, which is closed when it returns.
  explicit fake_server(std::function<void(peer&)> serve) : serve_(std::move(serve)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&any), sizeof any) == 0);
    REQUIRE(::listen(listener_, 16) == 0);
    socklen_t size = sizeof any;
    REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&any), &size) == 0);
    port_ = ntohs(any.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~fake_server() {
    stopping_ = true;
    acceptor_.join();
    for (auto& one : threads_) one.join();
    ::close(listener_);
  }
  fake_server(const fake_server&) = delete;
  fake_server& operator=(const fake_server&) = delete;

  std::string url(const std::string& options) const {
    return "postgres://nobody@127.0.0.1:" + std::to_string(port_) + "/none?sslmode=disable&" + options;
  }
  int accepted() const { return accepted_; }

 private:
  void accept_all() {
    while (!stopping_) {
      pollfd one{listener_, POLLIN, 0};
      if (::poll(&one, 1, 10) <= 0) continue;
      const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (descriptor < 0) continue;
      ++accepted_;
      threads_.emplace_back([this, descriptor] {
        peer who(descriptor, stopping_);
        if (greet(who)) serve_(who);
        ::close(descriptor);
      });
    }
  }
  static bool greet(peer& who) {
    const auto start = who.read();
    // The request to cancel (80877102) is followed by nothing.
    if (start.size() < 8 || start.substr(4, 4) == std::string("\x04\xd2\x16\x2e", 4)) return false;
    using namespace std::string_literals;
    who.send("R\0\0\0\x08\0\0\0\0"s);          // AuthenticationOk
    who.send("K\0\0\0\x0c\0\0\0\1\0\0\0\2"s);  // BackendKeyData
    who.send("Z\0\0\0\5I"s);
    return true;
  }

  const std::function<void(peer&)> serve_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> accepted_{0};
  std::thread acceptor_;
  std::vector<std::thread> threads_;  // of the acceptor's thread, until it has ended
};

/// Messages of a server, as they are on the wire.
namespace say {

inline std::string number(std::uint64_t n, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(i < 4 ? n >> (8 * i) & 0xff : 0);
  return out;
}
inline std::string message(char type, const std::string& payload) {
  return type + number(static_cast<std::uint32_t>(payload.size() + 4), 4) + payload;
}
inline std::string parsed() {
  return message('1', "");
}
inline std::string bound() {
  return message('2', "");
}
inline std::string ready(char state = 'I') {
  return message('Z', std::string(1, state));
}
inline std::string complete(const std::string& tag) {
  return message('C', tag + '\0');
}
inline std::string parameters(const std::vector<std::uint32_t>& types) {
  std::string all = number(static_cast<std::uint32_t>(types.size()), 2);
  for (const auto type : types) all += number(type, 4);
  return message('t', all);
}
/// Columns named a, b, ... of these types.
inline std::string columns(const std::vector<std::uint32_t>& types, std::uint32_t format = 0) {
  std::string all = number(static_cast<std::uint32_t>(types.size()), 2);
  char name = 'a';
  for (const auto type : types)
    all += std::string(1, name++) + '\0' + number(0, 6) + number(type, 4) + number(0, 6) + number(format, 2);
  return message('T', all);
}
inline std::string row(const std::vector<std::string>& cells) {
  std::string all = number(static_cast<std::uint32_t>(cells.size()), 2);
  for (const auto& one : cells) all += number(static_cast<std::uint32_t>(one.size()), 4) + one;
  return message('D', all);
}
inline std::string failed(const std::string& state, const std::string& severity = "ERROR") {
  return message(
      'E', "S" + severity + '\0' + "V" + severity + '\0' + "C" + state + '\0' + "Mbecause" + '\0' + '\0');
}
/// What preparing a statement without parameters, of one int4 column, comes to.
inline std::string prepared() {
  return parsed() + parameters({}) + columns({23}) + ready();
}
inline std::string int4(std::uint32_t n) {
  return number(n, 4);
}
/// What running it comes to.
inline std::string answer(std::uint32_t n) {
  return bound() + row({int4(n)}) + complete("SELECT 1") + ready();
}

}  // namespace say
