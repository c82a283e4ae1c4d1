#include "server/listening_sockets.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "server/listener.hpp"

namespace corbel {
namespace {

/// Prepares a socket that another program has made.
void adopt(int fd) {
  const auto option = [fd](int which) {
    int value = -1;
    socklen_t size = sizeof value;
    return ::getsockopt(fd, SOL_SOCKET, which, &value, &size) == 0 ? value : -1;
  };
  const int domain = option(SO_DOMAIN);
  if (option(SO_ACCEPTCONN) != 1 || option(SO_TYPE) != SOCK_STREAM ||
      (domain != AF_INET && domain != AF_INET6))
    throw std::invalid_argument("the inherited descriptor " + std::to_string(fd) +
                                " is no TCP socket that listens: hand over listening sockets only");
  if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
    throw std::system_error(errno, std::generic_category(), "fcntl");
}

/// One more that shares the port; where the first of them did not allow that, the first itself.
int one_more(const server_settings& settings, std::uint16_t port, int first) {
  if (listens_on(first, settings.host, port)) {
    try {
      return open_listener(settings.host, port, settings.backlog);
    } catch (const std::system_error&) {
      // Made without SO_REUSEPORT, or by another user.
    }
  }
  const int fd = ::fcntl(first, F_DUPFD_CLOEXEC, 0);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "cannot share a listening socket");
  return fd;
}

}  // namespace

listening_sockets::~listening_sockets() {
  for (const int fd : all_) ::close(fd);
}

std::uint16_t listening_sockets::complete(const server_settings& settings, std::size_t threads) {
  auto port = settings.port;
  all_.reserve(all_.size() + threads);
  if (all_.empty()) {
    claim_port(settings.host, port);
    all_.push_back(open_listener(settings.host, port, settings.backlog));
  } else {
    for (const int fd : all_) adopt(fd);
  }
  port = port_of(all_.front());
  while (all_.size() < threads) all_.push_back(one_more(settings, port, all_.front()));
  // What is accepted inherits it: a client that has vanished, or reads nothing, is let go by the kernel too,
  // also when all of the answer has found room there.
  const auto patience =
      static_cast<unsigned>(std::min<std::int64_t>(settings.limits.write_timeout.count(), 3'600'000));
  for (const int fd : all_) (void)::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof patience);
  return port;
}

}  // namespace corbel
