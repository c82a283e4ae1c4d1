#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace corbel::handover_line {

// What both ends of a hand-over need of a Unix socket.

/// The kernel takes at most 253 in one message.
inline constexpr std::size_t descriptors_per_message = 128;
inline constexpr std::string_view greeting = "corbel handover 1 ";
inline constexpr std::string_view farewell = "serving\n";

/// A socket of the Unix kind, closed on exec. Throws std::runtime_error.
int make(bool non_blocking);
/// The address calls take; throws std::runtime_error when the path is too long.
int connect(int fd, const std::string& path);  ///< 0, or errno
void bind(int fd, const std::string& path);

struct peer {
  pid_t process = 0;
  bool trusted = false;  ///< our own user's, or root's
};
peer peer_of(int fd) noexcept;

/// Sends all of the text and the descriptors with one call; false when that does not work.
bool send(int fd, std::string_view text, const int* descriptors, std::size_t count) noexcept;
/// Appends what one message brought. False at the end, after a failure, or out of patience.
bool receive(int fd, std::string& text, std::vector<int>& descriptors);

}  // namespace corbel::handover_line
