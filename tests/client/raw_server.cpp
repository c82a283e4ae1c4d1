#include "client/raw_server.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace {
thread_local std::function<void(std::string)> note;
}  // namespace

std::string raw_server::peer::request() {
  for (;;) {
    if (const auto blank = buffer_.find("\r\n\r\n"); blank != buffer_.npos) {
      std::size_t length = 0;
      if (const auto at = buffer_.find("Content-Length: "); at < blank)
        std::from_chars(buffer_.data() + at + 16, buffer_.data() + blank, length);
      if (buffer_.size() >= blank + 4 + length) {
        auto made = buffer_.substr(0, blank + 4 + length);
        buffer_.erase(0, made.size());
        note(made);
        return made;
      }
    }
    char piece[65536];
    const auto n = ::recv(fd_, piece, sizeof piece, 0);
    if (n <= 0) return {};
    buffer_.append(piece, static_cast<std::size_t>(n));
  }
}

bool raw_server::peer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool raw_server::peer::send_bytewise(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i)
    if (!send(bytes.substr(i, 1))) return false;
  return true;
}

bool raw_server::peer::ends() {
  char byte;
  return buffer_.empty() && ::recv(fd_, &byte, 1, 0) == 0;
}

void raw_server::peer::splice(std::uint16_t port) {
  const int other = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool connected = ::connect(other, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0;
  pollfd both[2] = {{fd_, POLLIN, 0}, {other, POLLIN, 0}};
  while (connected && ::poll(both, 2, 10'000) > 0) {
    bool over = false;
    for (int i = 0; i < 2; ++i) {
      if (both[i].revents == 0) continue;
      char piece[16384];
      const auto n = ::recv(both[i].fd, piece, sizeof piece, 0);
      over |= n <= 0 || ::send(both[1 - i].fd, piece, static_cast<std::size_t>(n), MSG_NOSIGNAL) != n;
    }
    if (over) break;
  }
  ::close(other);
}

void raw_server::peer::reset() {
  const linger at_once{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

raw_server::raw_server(script s)
    : script_(std::move(s)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&at), size) != 0 || ::listen(listener_, 128) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size) != 0)
    throw std::runtime_error("cannot listen on loopback");
  port_ = ntohs(at.sin_port);
  acceptor_ = std::thread([this] { accept(); });
}

void raw_server::accept() {
  for (;;) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const std::lock_guard lock(mutex_);
    if (fd < 0 || stopping_) {
      if (fd >= 0) ::close(fd);
      return;
    }
    const timeval patience{10, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    open_.push_back(fd);
    threads_.emplace_back([this, fd, number = connections_++] {
      note = [this](std::string text) {
        const std::lock_guard held(mutex_);
        requests_.push_back(std::move(text));
      };
      peer p(fd, number);
      script_(p);
      const std::lock_guard held(mutex_);
      std::erase(open_, fd);
      ::close(fd);
    });
  }
}

raw_server::~raw_server() {
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    threads.swap(threads_);
  }
  for (auto& each : threads) each.join();
  ::close(listener_);
}

std::string raw_server::url(std::string_view path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + std::string(path);
}

std::vector<std::string> raw_server::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::string ok(std::string_view body, std::string_view more_headers) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(more_headers) + "\r\n" + std::string(body);
}
