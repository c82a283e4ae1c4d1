#include "app/handover_line.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace corbel::handover_line {
namespace {

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    throw std::runtime_error("the hand-over socket's path is too long: \"" + path + "\"; use one below " +
                             std::to_string(sizeof address.sun_path) + " bytes");
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

constexpr std::size_t control_size = CMSG_SPACE(descriptors_per_message * sizeof(int));

struct message {
  alignas(cmsghdr) std::array<char, control_size> control{};
  iovec part{};
  msghdr head{};

  message(void* bytes, std::size_t size) {
    part = {bytes, size};
    head.msg_iov = &part;
    head.msg_iovlen = 1;
  }
};

}  // namespace

int make(bool non_blocking) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | (non_blocking ? SOCK_NONBLOCK : 0), 0);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "cannot make a Unix socket");
  return fd;
}

int connect(int fd, const std::string& path) {
  const auto address = address_of(path);
  return ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
}

void bind(int fd, const std::string& path) {
  const auto address = address_of(path);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot make the hand-over socket " + path);
}

peer peer_of(int fd) noexcept {
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return {};
  return {who.pid, who.uid == ::geteuid() || who.uid == 0};
}

bool send(int fd, std::string_view text, const int* descriptors, std::size_t count) noexcept {
  message m(const_cast<char*>(text.data()), text.size());
  if (count > 0) {
    m.head.msg_control = m.control.data();
    m.head.msg_controllen = CMSG_SPACE(count * sizeof(int));
    auto* const rights = CMSG_FIRSTHDR(&m.head);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(count * sizeof(int));
    std::memcpy(CMSG_DATA(rights), descriptors, count * sizeof(int));
  }
  return ::sendmsg(fd, &m.head, MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

bool receive(int fd, std::string& text, std::vector<int>& descriptors) {
  std::array<char, 256> bytes;
  message m(bytes.data(), bytes.size());
  m.head.msg_control = m.control.data();
  m.head.msg_controllen = m.control.size();
  const auto n = ::recvmsg(fd, &m.head, MSG_CMSG_CLOEXEC);
  if (n <= 0) return false;
  for (auto* each = CMSG_FIRSTHDR(&m.head); each; each = CMSG_NXTHDR(&m.head, each)) {
    if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (each->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int one = -1;
      std::memcpy(&one, CMSG_DATA(each) + i * sizeof(int), sizeof one);
      descriptors.push_back(one);
    }
  }
  text.append(bytes.data(), static_cast<std::size_t>(n));
  return true;
}

}  // namespace corbel::handover_line
