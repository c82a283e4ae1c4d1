#include "corbel/runtime/deadline_wheel.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace corbel {
namespace {

/// So many expire before the loop's other work gets its turn.
constexpr int most_at_once = 8;

}  // namespace

/// Shared with the wait in flight, whose completion may already be queued when the wheel goes away.
struct deadline_wheel::timer {
  timer(boost::asio::io_context& context, deadline_wheel& w) : ticks(context), wheel(&w) {}
  boost::asio::steady_timer ticks;
  deadline_wheel* wheel;
};

deadline_wheel::deadline_wheel(boost::asio::io_context& context)
    : timer_(std::make_shared<timer>(context, *this)), epoch_(clock::now()) {
  for (auto& slot : slots_) slot.next_ = slot.previous_ = &slot;
}

deadline_wheel::~deadline_wheel() {
  timer_->wheel = nullptr;
  timer_->ticks.cancel();
  for (auto& slot : slots_) {
    while (slot.next_ != &slot) slot.next_->unlink();
    slot.next_ = slot.previous_ = nullptr;
  }
}

void deadline_wheel::arm(entry& e, clock::time_point due) {
  // Rounded up and one more: never early, though the wheel's own clock is read only once a tick.
  const auto wait = std::max<clock::duration>(due - epoch_, clock::duration::zero());
  e.due_ = static_cast<std::uint64_t>(wait / tick) + 1;
  // A later deadline needs no work now: the wheel finds it when it looks at the old place.
  if (!e.next_ || e.linked_ > e.due_) {
    e.unlink();
    link(e, e.due_);
  }
  if (!ticking_) start_timer(next_tick());
}

void deadline_wheel::link(entry& e, std::uint64_t at) noexcept {
  e.linked_ = std::clamp(at, now_ + 1, now_ + slots - 1);
  auto& slot = slots_[e.linked_ % slots];
  e.next_ = &slot;
  e.previous_ = slot.previous_;
  slot.previous_->next_ = &e;
  slot.previous_ = &e;
}

deadline_wheel::clock::time_point deadline_wheel::next_tick() const {
  return epoch_ + tick * ((clock::now() - epoch_) / tick + 1);
}

void deadline_wheel::put_back(head& from, head& to) noexcept {
  from.next_->previous_ = to.previous_;
  to.previous_->next_ = from.next_;
  from.previous_->next_ = &to;
  to.previous_ = from.previous_;
  from.next_ = from.previous_ = nullptr;
}

void deadline_wheel::start_timer(clock::time_point at) {
  ticking_ = true;
  timer_->ticks.expires_at(at);
  timer_->ticks.async_wait([t = timer_](const boost::system::error_code& failed) {
    if (failed || !t->wheel) return;
    t->wheel->ticking_ = false;
    t->wheel->turn();
  });
}

void deadline_wheel::turn() {
  const auto now = static_cast<std::uint64_t>((clock::now() - epoch_) / tick);
  // After a pause longer than the horizon one round over the slots sees every entry.
  if (now > now_ + slots) now_ = now - slots;
  int fired = 0;
  while (now_ < now) {
    ++now_;
    auto& slot = slots_[now_ % slots];
    // Entries are taken one by one from a list of their own, since on_deadline may destroy any of them.
    head due;
    if (slot.next_ != &slot) {
      due.next_ = slot.next_;
      due.previous_ = slot.previous_;
      due.next_->previous_ = due.previous_->next_ = &due;
      slot.next_ = slot.previous_ = &slot;
    } else {
      due.next_ = due.previous_ = &due;
    }
    while (due.next_ != &due) {
      if (fired == most_at_once) {
        // Ten thousand at one moment: the others get their turn in between.
        put_back(due, slot);
        --now_;
        return start_timer(clock::now());
      }
      entry& e = *due.next_;
      e.unlink();
      if (e.due_ == entry::never) continue;
      if (e.due_ > now) {
        link(e, e.due_);
        continue;
      }
      e.due_ = entry::never;
      ++fired;
      e.on_deadline();
    }
    due.next_ = due.previous_ = nullptr;
  }
  const bool empty = std::all_of(slots_.begin(), slots_.end(), [](const head& s) { return s.next_ == &s; });
  if (!empty && !ticking_) start_timer(next_tick());
}

}  // namespace corbel
