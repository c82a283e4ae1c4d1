#include "corbel/runtime/loop_local.hpp"

#include <atomic>
#include <utility>

#include "runtime/mailbox.hpp"

namespace corbel::detail {
namespace {

std::uint64_t next_owner() {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace

loop_locals::loop_locals() : id_(next_owner()) {}

loop_locals::~loop_locals() {
  erase();
}

const std::shared_ptr<void>* loop_locals::find(event_loop& loop) const {
  const auto at = loop.locals_.find(id_);
  return at == loop.locals_.end() ? nullptr : &at->second;
}

bool loop_locals::keep(event_loop& loop, std::shared_ptr<void> object) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    std::erase_if(places_, [](const place& one) { return !one.mail->is_open(); });
    places_.push_back({loop.mail(), &loop});
  }
  loop.locals_.emplace(id_, std::move(object));
  return true;
}

void loop_locals::erase(event_loop& loop) const {
  // Taken out first: what it lets go of may look for itself here.
  const auto taken = loop.locals_.extract(id_);
}

std::vector<loop_locals::place> loop_locals::take_places(bool closes) {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  return closes ? places_ : std::exchange(places_, {});
}

void loop_locals::close(const std::function<void(const std::shared_ptr<void>&)>& last) {
  for (const auto& [mail, loop] : take_places(true))
    mail->post([id = id_, at = loop, last] {
      const auto found = at->locals_.find(id);
      if (found == at->locals_.end()) return;
      const auto held = found->second;
      last(held);
    });
}

void loop_locals::erase() {
  for (const auto& [mail, loop] : take_places(false))
    mail->post([id = id_, at = loop] { const auto taken = at->locals_.extract(id); });
}

}  // namespace corbel::detail
