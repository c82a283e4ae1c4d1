#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include <corbel/runtime/event_loop.hpp>

namespace corbel {

namespace detail {

/// `loop_local` without its type.
class loop_locals {
 public:
  loop_locals();
  ~loop_locals();
  loop_locals(const loop_locals&) = delete;
  loop_locals& operator=(const loop_locals&) = delete;

  const std::shared_ptr<void>* find(event_loop& loop) const;
  bool keep(event_loop& loop, std::shared_ptr<void> object);
  void erase(event_loop& loop) const;
  void close(const std::function<void(const std::shared_ptr<void>&)>& last);
  void erase();

 private:
  struct place {
    std::shared_ptr<mailbox> mail;
    event_loop* loop;  // there for as long as `mail` is open
  };
  std::vector<place> take_places(bool closes);

  const std::uint64_t id_;  // no other owner of this process ever has it, as it may have an address
  std::mutex mutex_;
  std::vector<place> places_;
  bool closed_ = false;
};

}  // namespace detail

/// What one owner, such as a database, keeps on each loop that uses it: connections, caches, what is known of
/// others. An object belongs to its loop and is found there without a lock. It goes with its owner, which
/// erases it on every loop, or with its loop.
template <class T>
class loop_local {
 public:
  /// Null when this loop has none. From the loop's thread.
  T* find(event_loop& loop) const {
    const auto* kept = locals_.find(loop);
    return kept ? static_cast<T*>(kept->get()) : nullptr;
  }
  /// The loop keeps it from now on. False, and it is not kept, after `close`. Precondition: it has none. From
  /// the loop's thread.
  bool keep(event_loop& loop, std::shared_ptr<T> object) { return locals_.keep(loop, std::move(object)); }
  /// Lets go of this loop's object. From the loop's thread, and from no member function of the object.
  void erase(event_loop& loop) const { locals_.erase(loop); }

  /// Nothing is kept from now on; `last` runs with each object on its loop's thread. From any thread.
  void close(std::function<void(T&)> last) {
    locals_.close([last = std::move(last)](const std::shared_ptr<void>& object) {
      last(*static_cast<T*>(object.get()));
    });
  }
  /// Closes it, and lets each loop erase its object, behind what runs there now. From any thread; so does the
  /// destructor.
  void erase() { locals_.erase(); }

 private:
  detail::loop_locals locals_;
};

}  // namespace corbel
