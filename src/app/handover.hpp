#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "corbel/observe/log.hpp"

namespace corbel {

/// The hand-over of listening sockets from a process to the one that replaces it, over a Unix socket. The
/// sockets themselves pass (SCM_RIGHTS), so whoever waits in their queues is served by either process:
///
///     the new process                        the one that serves
///     connects                          ->
///                                       <-   "corbel handover 1 <count>", and the sockets
///     serves on them, makes its own offer
///     "serving"                         ->
///                                            drains
///
/// Up to the last word the old process goes on as before; if the new one fails, nothing has happened. Both
/// ends talk to their own user, or root, alone.
///
/// This is the new process's end.
class takeover {
 public:
  /// Nothing when nobody serves there. Throws std::runtime_error when somebody does but the sockets cannot be
  /// had. Blocks, for ten seconds at most.
  static std::optional<takeover> from(const std::string& path);
  takeover(takeover&& other) noexcept;
  takeover& operator=(takeover&&) = delete;
  ~takeover();

  /// The sockets, now the caller's.
  std::vector<int> release() { return std::exchange(sockets_, {}); }
  pid_t process() const noexcept { return process_; }
  /// Tells the old process that it may go.
  void serving() noexcept;

 private:
  takeover() = default;
  int line_ = -1;
  pid_t process_ = 0;
  std::vector<int> sockets_;
};

/// The end of the process that serves: offers its sockets from now on.
class handover_offer {
 public:
  /// `taken` runs on the context, once, when another process serves. Replaces whatever socket has the path,
  /// and takes it away at the end if it is still its own. Throws std::runtime_error. The sockets must stay
  /// open until then.
  handover_offer(boost::asio::io_context& context, const std::string& path, std::vector<int> sockets,
                 logger log, std::function<void(pid_t)> taken);
  ~handover_offer();
  handover_offer(const handover_offer&) = delete;
  handover_offer& operator=(const handover_offer&) = delete;

 private:
  struct impl;
  std::shared_ptr<impl> impl_;
};

}  // namespace corbel
