#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace boost::asio {
class io_context;
}

namespace corbel {

/// Coarse deadlines for very many things at once: setting one costs an assignment, not a timer. They fire on
/// time or at most one tick (100 ms) late. Belongs to the thread that runs the context; not thread-safe.
class deadline_wheel {
 public:
  using clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds tick{100};

  /// Something that can expire. Destroying it disarms it.
  class entry {
   public:
    entry() = default;
    entry(const entry&) = delete;
    entry& operator=(const entry&) = delete;

    bool armed() const noexcept { return due_ != never; }

   protected:
    ~entry() { unlink(); }
    /// Called once when the deadline has passed; the entry is disarmed before, and may be armed again here.
    virtual void on_deadline() = 0;

   private:
    friend class deadline_wheel;
    static constexpr std::uint64_t never = ~std::uint64_t{0};
    void unlink() noexcept {
      if (next_) {
        next_->previous_ = previous_;
        previous_->next_ = next_;
        next_ = previous_ = nullptr;
      }
    }
    entry* next_ = nullptr;
    entry* previous_ = nullptr;
    std::uint64_t due_ = never;     // ticks since the wheel was made
    std::uint64_t linked_ = never;  // the tick at which the wheel looks at this entry again, at most due_
  };

  explicit deadline_wheel(boost::asio::io_context& context);
  ~deadline_wheel();
  deadline_wheel(const deadline_wheel&) = delete;
  deadline_wheel& operator=(const deadline_wheel&) = delete;

  void arm(entry& e, clock::time_point due);
  void disarm(entry& e) noexcept { e.due_ = entry::never; }

 private:
  static constexpr std::size_t slots = 1024;  // a horizon of 102 s; what lies beyond is looked at early
  struct head final : entry {
    void on_deadline() override {}
  };

  void link(entry& e, std::uint64_t at) noexcept;
  static void put_back(head& from, head& to) noexcept;
  clock::time_point next_tick() const;
  void start_timer(clock::time_point at);
  void turn();

  struct timer;
  std::shared_ptr<timer> timer_;
  clock::time_point epoch_;
  std::uint64_t now_ = 0;
  bool ticking_ = false;
  std::array<head, slots> slots_;
};

}  // namespace corbel
