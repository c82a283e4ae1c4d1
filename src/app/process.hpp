#pragma once

#include <string_view>
#include <vector>

namespace corbel {

// What a program has to do with whoever started it.

/// Lets this process have as many descriptors as it may. The lower soft limit only guards programs that use
/// select(), which fails above 1024.
void raise_descriptor_limit() noexcept;

/// The listening sockets that a service manager gives (LISTEN_FDS and LISTEN_PID, as systemd's socket
/// activation has them), now the caller's; none when it gives none. Once only: the variables are removed. To
/// be called before there are threads. Throws std::runtime_error over variables that make no sense.
std::vector<int> activated_sockets();

/// Tells the service manager ("READY=1"), when it wants to be told (NOTIFY_SOCKET).
void notify_manager(std::string_view state) noexcept;

}  // namespace corbel
