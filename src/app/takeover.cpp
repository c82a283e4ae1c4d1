#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <stdexcept>

#include "app/handover.hpp"
#include "app/handover_line.hpp"

namespace corbel {
namespace {

namespace line = handover_line;

constexpr timeval handover_patience{10, 0};
/// The old process may have found its successor in this very moment: the path names that one soon.
constexpr int attempts = 5;
constexpr useconds_t between_attempts = 100'000;

/// What the greeting announces; nothing for anything that is no greeting of ours.
std::optional<std::size_t> announced(std::string_view text) {
  const auto end = text.find('\n');
  if (end == text.npos || text.substr(0, line::greeting.size()) != line::greeting) return {};
  const char* const from = text.data() + line::greeting.size();
  std::size_t count = 0;
  const auto [at, failed] = std::from_chars(from, text.data() + end, count);
  if (failed != std::errc{} || at != text.data() + end || count == 0) return {};
  return count;
}

}  // namespace

takeover::takeover(takeover&& other) noexcept
    : line_(std::exchange(other.line_, -1)), process_(other.process_), sockets_(std::move(other.sockets_)) {}

takeover::~takeover() {
  for (const int fd : sockets_) ::close(fd);
  if (line_ >= 0) ::close(line_);
}

std::optional<takeover> takeover::from(const std::string& path) {
  for (int attempt = 0; attempt < attempts; ++attempt) {
    takeover made;
    made.line_ = line::make(false);
    (void)::setsockopt(made.line_, SOL_SOCKET, SO_RCVTIMEO, &handover_patience, sizeof handover_patience);
    (void)::setsockopt(made.line_, SOL_SOCKET, SO_SNDTIMEO, &handover_patience, sizeof handover_patience);
    if (const int failed = line::connect(made.line_, path); failed == ENOENT || failed == ECONNREFUSED)
      return {};  // nobody was there yet, or whoever was there crashed
    else if (failed != 0)
      throw std::runtime_error("cannot reach the process that serves behind " + path + ": " +
                               std::strerror(failed) + "; make the socket accessible, or end that process");
    const auto other = line::peer_of(made.line_);
    if (!other.trusted)
      throw std::runtime_error("the socket " + path +
                               " belongs to another user; use a folder that only this user can write to");
    made.process_ = other.process;
    std::string text;
    std::optional<std::size_t> count;
    errno = 0;
    while (!count || made.sockets_.size() < *count) {
      if (!line::receive(made.line_, text, made.sockets_)) break;
      if (!count) count = announced(text);
      if (!count && text.find('\n') != text.npos)
        throw std::runtime_error("the process behind " + path +
                                 " speaks another version of the hand-over; stop it before this one starts");
    }
    if (count && made.sockets_.size() == *count) return made;
    if (errno == EAGAIN)
      throw std::runtime_error("the process behind " + path +
                               " does not hand over its port; end it before this one starts");
    ::usleep(between_attempts);
  }
  throw std::runtime_error("the process behind " + path +
                           " ends the hand-over each time; look into its log, or end it");
}

void takeover::serving() noexcept {
  (void)line::send(line_, line::farewell, nullptr, 0);
  ::close(std::exchange(line_, -1));
}

}  // namespace corbel
