#include "corbel/runtime/notification.hpp"

#include "runtime/suspended.hpp"

namespace corbel {

notification::notification() = default;
notification::~notification() = default;

task<> notification::wait() {
  return detail::suspend([this](std::unique_ptr<detail::suspended> who) { waiter_ = std::move(who); },
                         [this] { return std::move(waiter_); });
}

void notification::notify() {
  if (waiter_) waiter_.release()->resume({});
}

}  // namespace corbel
