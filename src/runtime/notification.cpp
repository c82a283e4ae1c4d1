#include "corbel/runtime/notification.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "runtime/suspended.hpp"

namespace corbel {

namespace asio = boost::asio;
using boost::system::error_code;

notification::notification() = default;
notification::~notification() = default;

task<> notification::wait() {
  auto start = [](auto handler, notification* self) {
    using handler_type = decltype(handler);
    auto slot = asio::get_associated_cancellation_slot(handler);
    self->waiter_ = std::make_unique<detail::suspended_handler<handler_type>>(std::move(handler));
    if (slot.is_connected())
      slot.assign([self](asio::cancellation_type type) {
        if ((type & (asio::cancellation_type::terminal | asio::cancellation_type::partial)) ==
            asio::cancellation_type::none)
          return;
        if (self->waiter_) self->waiter_.release()->resume(asio::error::operation_aborted);
      });
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void(error_code)>(start, asio::use_awaitable,
                                                                                 this);
}

void notification::notify() {
  if (waiter_) waiter_.release()->resume({});
}

}  // namespace corbel
