#pragma once

#include <cstdint>
#include <memory>

namespace boost::asio {
class io_context;
}

namespace corbel {

/// What a descriptor is watched for. `none` still reports errors and hang-ups.
enum class interest : std::uint8_t { none = 0, read = 1, write = 2, read_write = 3 };

/// What happened on a descriptor.
struct readiness {
  bool readable;
  bool writable;
  bool broken;  ///< error or hang-up of both directions: nothing more can be sent
};

/// Told when its descriptor is ready.
class readiness_handler {
 public:
  virtual void on_ready(readiness what) = 0;

 protected:
  ~readiness_handler() = default;
};

/// Many descriptors watched as ONE descriptor of an io_context, level-triggered: no system call per request
/// re-arms anything. Belongs to the thread that runs the context; nothing here is thread-safe.
///
/// On Linux this is an epoll set. A handler may add, change and remove descriptors, its own included, while
/// it runs; once `remove` returns, the handler is not called again and may be destroyed.
class readiness_set {
 public:
  explicit readiness_set(boost::asio::io_context& context);
  ~readiness_set();
  readiness_set(const readiness_set&) = delete;
  readiness_set& operator=(const readiness_set&) = delete;

  /// `fd` must be non-blocking. Throws std::system_error when the kernel refuses.
  void add(int fd, interest what, readiness_handler& handler);
  void change(int fd, interest what, readiness_handler& handler);
  /// Must come before the descriptor is closed.
  void remove(int fd, readiness_handler& handler) noexcept;

  /// Called once before the handlers of each wake-up, such as to read the clock once for all of them.
  /// `follows`: right behind another wake-up's handlers, with nothing else in between.
  void before_batch(void (*hook)(void* context, bool follows), void* context) noexcept;

 private:
  struct impl;
  std::shared_ptr<impl> impl_;
};

}  // namespace corbel
