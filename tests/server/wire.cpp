#include "server/wire.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <charconv>
#include <stdexcept>

namespace wire {
namespace {

bool same(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (std::tolower(static_cast<unsigned char>(a[i])) != std::tolower(static_cast<unsigned char>(b[i])))
      return false;
  return true;
}

template <class See>
void each_field(std::string_view head, See see) {
  for (auto at = head.find("\r\n"); at != head.npos;) {
    const auto from = at + 2;
    at = head.find("\r\n", from);
    if (at == head.npos) return;
    const auto line = head.substr(from, at - from);
    const auto colon = line.find(": ");
    REQUIRE_MESSAGE(colon != line.npos, "a field without a colon: ", std::string(line));
    see(line.substr(0, colon), line.substr(colon + 2));
  }
}

/// Takes a chunked body off the front of `text`, from `at`: false when it is not all there.
bool take_chunks(const std::string& text, std::size_t& at, std::string& body) {
  for (;;) {
    const auto line = text.find("\r\n", at);
    if (line == text.npos) return false;
    std::size_t size = 0;
    const auto read = std::from_chars(text.data() + at, text.data() + line, size, 16);
    REQUIRE_MESSAGE((read.ec == std::errc() && read.ptr == text.data() + line),
                    "no chunk size: ", text.substr(at, 40));
    if (text.size() < line + 2 + size + 2) return false;
    REQUIRE(text.compare(line + 2 + size, 2, "\r\n") == 0);
    body.append(text, line + 2, size);
    at = line + 2 + size + 2;
    if (size == 0) return true;
  }
}

/// Takes one response off the front of `text`: nothing when it is not all there.
std::optional<reply> take(std::string& text, bool without_body, bool at_end) {
  const auto blank = text.find("\r\n\r\n");
  if (blank == text.npos) return {};
  reply made;
  made.head = text.substr(0, blank + 2);
  REQUIRE_MESSAGE(made.head.substr(0, 9) == "HTTP/1.1 ", "no status line: ", made.head);
  std::from_chars(made.head.data() + 9, made.head.data() + 12, made.code);
  std::size_t size = 0;
  const bool bodiless = without_body || made.code == 204 || made.code == 304 || made.code < 200;
  if (!bodiless && made.header("Transfer-Encoding") == "chunked") {
    REQUIRE(made.count("Content-Length") == 0);
    std::size_t at = blank + 4;
    if (!take_chunks(text, at, made.body)) {
      REQUIRE_MESSAGE(!at_end, "the connection ended inside a chunked response");
      return {};
    }
    text.erase(0, at);
    return made;
  }
  if (!bodiless) {
    const auto length = made.header("Content-Length");
    REQUIRE_MESSAGE(length, "no Content-Length: ", made.head);
    std::from_chars(length->data(), length->data() + length->size(), size);
  }
  if (text.size() < blank + 4 + size) {
    REQUIRE_MESSAGE(!at_end, "the connection ended inside a response: ", text.substr(0, 500));
    return {};
  }
  made.body = text.substr(blank + 4, size);
  text.erase(0, blank + 4 + size);
  return made;
}

}  // namespace

std::optional<std::string> reply::header(std::string_view name) const {
  std::optional<std::string> found;
  each_field(head, [&](std::string_view n, std::string_view v) {
    if (!found && same(n, name)) found = std::string(v);
  });
  return found;
}

std::size_t reply::count(std::string_view name) const {
  std::size_t n = 0;
  each_field(head, [&](std::string_view each, std::string_view) { n += same(each, name); });
  return n;
}

std::string reply::error_code() const {
  const std::string_view mark = "\"code\":\"";
  const auto at = body.find(mark);
  if (at == body.npos) return "no envelope: " + body;
  const auto from = at + mark.size();
  return body.substr(from, body.find('"', from) - from);
}

std::string get(std::string_view path, std::string_view more_headers) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: test\r\n" + std::string(more_headers) + "\r\n";
}

std::string post(std::string_view path, std::string_view body, std::string_view type) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: test\r\nContent-Type: " + std::string(type) +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

std::string chunked(std::string_view path, const std::vector<std::string>& chunks) {
  std::string text =
      "POST " + std::string(path) +
      " HTTP/1.1\r\nHost: test\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const auto& each : chunks) {
    char size[20];
    const auto end = std::to_chars(size, size + sizeof size, each.size(), 16).ptr;
    text.append(size, end).append("\r\n").append(each).append("\r\n");
  }
  return text + "0\r\n\r\n";
}

client::client(std::uint16_t port, options with) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const timeval patience{10, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (with.receive_buffer)
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &with.receive_buffer, sizeof with.receive_buffer);
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
    throw std::runtime_error("cannot connect to port " + std::to_string(port));
}

client::~client() {
  if (fd_ >= 0) ::close(fd_);
}

bool client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool client::send_bytewise(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i)
    if (!send(bytes.substr(i, 1))) return false;
  return true;
}

void client::half_close() {
  ::shutdown(fd_, SHUT_WR);
}

void client::reset() {
  const linger at_once{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(std::exchange(fd_, -1));
}

bool client::more() {
  char piece[65536];
  const auto n = ::recv(fd_, piece, sizeof piece, 0);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) FAIL("the server did not answer in ten seconds");
  if (n <= 0) return false;
  buffer_.append(piece, static_cast<std::size_t>(n));
  return true;
}

std::optional<reply> client::read(bool without_body) {
  bool at_end = false;
  for (;;) {
    if (auto made = take(buffer_, without_body, at_end)) {
      if (made->code >= 200) return made;
      ++interim;
      continue;
    }
    if (at_end) return {};
    at_end = !more();
  }
}

std::optional<reply> client::ask(std::string_view bytes, bool without_body) {
  send(bytes);
  return read(without_body);
}

bool client::ends() {
  return buffer_.empty() && !more();
}

std::string client::drain() {
  while (more()) {
  }
  return std::exchange(buffer_, {});
}

std::optional<reply> take(std::string& text) {
  return take(text, false, false);
}

std::string talk(std::uint16_t port, std::string_view bytes) {
  client c(port);
  c.send(bytes);
  c.half_close();
  return c.drain();
}

std::vector<reply> split(std::string_view text) {
  std::string rest(text);
  std::vector<reply> all;
  while (!rest.empty()) {
    auto made = take(rest, false, true);
    REQUIRE_MESSAGE(made, "not a response: ", rest);
    if (made->code >= 200) all.push_back(std::move(*made));
  }
  return all;
}

}  // namespace wire
