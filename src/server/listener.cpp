#include "server/listener.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include "corbel/base/ip_address.hpp"
#include "corbel/http/problem.hpp"
#include "http/request_access.hpp"
#include "server/http1/serialize.hpp"

namespace corbel {
namespace {

/// So many are accepted in one wake-up before the connections that are open get their turn again. A loop that
/// is behind wakes up rarely: those who wait in the kernel shall not wait for many of its rounds.
constexpr int accepts_per_round = 8;
constexpr int accepts_when_late = 512;
/// Out of descriptors, accepting rests for this long: the queue stays with the kernel.
constexpr std::chrono::milliseconds pause{200};

std::string text_of(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET)
    return ip_address(ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr)).to_string();
  if (address.ss_family != AF_INET6) return {};
  ip_address::octets six;
  std::memcpy(six.data(), &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, six.size());
  return ip_address(six).to_string();
}

[[noreturn]] void fail(int fd, const std::string& what) {
  const int reason = errno;
  if (fd >= 0) ::close(fd);
  throw std::system_error(reason, std::generic_category(), what);
}

}  // namespace

listener::listener(worker& home, int fd) : home_(home), fd_(fd) {
  home_.loop.descriptors().add(fd_, interest::read, *this);
}

listener::~listener() {
  home_.loop.descriptors().remove(fd_, *this);
  ::close(fd_);
}

void listener::on_ready(readiness) {
  (void)accept_some();
}

void listener::accept_rest() {
  // No more than the kernel's queue holds: others may come as fast as these are accepted.
  for (int left = home_.shared.settings.backlog; left > 0 && accept_some(); left -= accepts_per_round) {
  }
}

bool listener::accept_some() {
  const int most = home_.loop.lag().late() ? accepts_when_late : accepts_per_round;
  for (int i = 0; i < most; ++i) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    const int fd =
        ::accept4(fd_, reinterpret_cast<sockaddr*>(&address), &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        home_.loop.descriptors().change(fd_, interest::none, *this);
        home_.loop.deadlines().arm(*this, home_.loop.now() + pause);
      }
      return false;  // anything else concerns one client only, and is gone with it
    }
    if (home_.shared.connections.fetch_add(1, std::memory_order_relaxed) >= home_.shared.connection_limit) {
      home_.shared.connections.fetch_sub(1, std::memory_order_relaxed);
      turn_away(fd);
      continue;
    }
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    try {
      home_.accepted(fd, text_of(address));
    } catch (...) {
      home_.shared.connections.fetch_sub(1, std::memory_order_relaxed);
      ::close(fd);
    }
  }
  return true;
}

void listener::on_deadline() {
  home_.loop.descriptors().change(fd_, interest::read, *this);
}

/// One over the limit: it hears why, as far as one write without waiting can tell it.
void listener::turn_away(int fd) noexcept {
  if (home_.tls) {  // words would take a handshake, which is what there is no room for
    ::close(fd);
    return;
  }
  try {
    request nobody;
    request_access(nobody).context(home_.shared.context);
    request_access(nobody).arrived(home_.loop.now());
    response out;
    home_.shared.service.unresolved().refuse(
        nobody,
        unavailable("The service has as many connections as it can hold. Try again later.",
                    "too_many_connections")
            .retry_after(std::chrono::seconds(1)),
        out);
    byte_buffer bytes;
    http1::append_response(bytes, nobody, out, false, home_.date.at(home_.loop.now()));
    (void)::send(fd, bytes.view().data(), bytes.size(), MSG_NOSIGNAL);
    ::shutdown(fd, SHUT_WR);
    // Closed with a request unread, the socket would answer with a reset, which overtakes the words above.
    (void)::recv(fd, home_.input.get(), worker::input_size, MSG_DONTWAIT);
  } catch (...) {
    // Being unable to explain is no reason to keep the connection.
  }
  ::close(fd);
}

namespace {

struct numeric_address {
  sockaddr_storage storage{};
  socklen_t length = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

numeric_address parse_address(const std::string& host, std::uint16_t port) {
  numeric_address made;
  auto& four = reinterpret_cast<sockaddr_in&>(made.storage);
  auto& six = reinterpret_cast<sockaddr_in6&>(made.storage);
  if (::inet_pton(AF_INET, host.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    made.length = sizeof four;
  } else if (::inet_pton(AF_INET6, host.c_str(), &six.sin6_addr) == 1) {
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    made.length = sizeof six;
  } else {
    throw std::invalid_argument("cannot listen on \"" + host +
                                "\": give a numeric address such as 127.0.0.1, 0.0.0.0 or ::");
  }
  return made;
}

/// A bound socket; the reason it could not be had names host and port.
int bind_socket(const std::string& host, std::uint16_t port, bool share_port) {
  const auto address = parse_address(host, port);
  const std::string where = "cannot listen on " + host + " port " + std::to_string(port);
  const int fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) fail(fd, where);
  const int on = 1;
  if (::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) fail(fd, where);
  if (share_port && ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) fail(fd, where);
  if (::bind(fd, address.get(), address.length) != 0) fail(fd, where);
  return fd;
}

}  // namespace

void claim_port(const std::string& host, std::uint16_t port) {
  if (port != 0) ::close(bind_socket(host, port, false));
}

int open_listener(const std::string& host, std::uint16_t port, int backlog) {
  const int fd = bind_socket(host, port, true);
  if (::listen(fd, backlog) != 0) fail(fd, "cannot listen on " + host + " port " + std::to_string(port));
  return fd;
}

bool listens_on(int fd, const std::string& host, std::uint16_t port) {
  const auto wanted = parse_address(host, port);
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return false;
  return text_of(address) == text_of(wanted.storage) && address.ss_family == wanted.storage.ss_family &&
         (port == 0 || port_of(fd) == port);
}

std::uint16_t port_of(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0)
    throw std::system_error(errno, std::generic_category(), "getsockname");
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                                             : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

}  // namespace corbel
