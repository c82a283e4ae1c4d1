// How coroutines wait for what a pool does for them.
#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "data/postgres/pool.hpp"

namespace corbel::postgres {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

bool ends_waits(asio::cancellation_type type) {
  return (type & (asio::cancellation_type::terminal | asio::cancellation_type::partial)) !=
         asio::cancellation_type::none;
}

template <class Handler>
std::unique_ptr<corbel::detail::suspended> suspend(Handler handler) {
  return std::make_unique<corbel::detail::suspended_handler<Handler>>(std::move(handler));
}

}  // namespace

task<> pool::run(call_ptr what) {
  auto initiate = [](auto handler, pool* self, call_ptr c) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    c->waiter = suspend(std::move(handler));
    if (slot.is_connected())
      slot.assign([weak = self->weak_from_this(), c](asio::cancellation_type type) {
        if (!ends_waits(type) || !c->waiter) return;
        auto waiter = std::move(c->waiter);
        if (const auto still = weak.lock()) still->abandon(*c);
        waiter.release()->resume(asio::error::operation_aborted);
      });
    self->start(std::move(c));
  };
  return asio::async_initiate<const asio::use_awaitable_t<>, void(error_code)>(initiate, asio::use_awaitable,
                                                                               this, std::move(what));
}

namespace {

/// For many calls at once: `submit` starts each. They belong to the coroutine that waits.
template <class Submit>
task<> gather(std::weak_ptr<pool> home, boost::intrusive_ptr<gathering> all,
              const std::vector<call_ptr>& calls, void (*abandon)(pool&, call&), Submit submit) {
  auto initiate = [](auto handler, std::weak_ptr<pool> weak, boost::intrusive_ptr<gathering> together,
                     const std::vector<call_ptr>* each, void (*drop)(pool&, call&), Submit start) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    together->left = each->size();
    together->waiter = suspend(std::move(handler));
    if (slot.is_connected())
      slot.assign([weak, together, each, drop](asio::cancellation_type type) {
        if (!ends_waits(type) || !together->waiter) return;
        auto waiter = std::move(together->waiter);
        if (const auto still = weak.lock())
          for (const auto& one : *each)
            if (!one->done()) drop(*still, *one);
        waiter.release()->resume(asio::error::operation_aborted);
      });
    for (const auto& one : *each) {
      one->together = together;
      start(one);
    }
  };
  return asio::async_initiate<const asio::use_awaitable_t<>, void(error_code)>(
      initiate, asio::use_awaitable, std::move(home), std::move(all), &calls, abandon, submit);
}

}  // namespace

task<> pool::run(boost::intrusive_ptr<gathering> all, const std::vector<call_ptr>& calls) {
  return gather(
      weak_from_this(), std::move(all), calls, [](pool& home, call& one) { home.abandon(one); },
      [this](const call_ptr& one) { start(one); });
}

task<> pool::run_on(std::shared_ptr<connection> where, boost::intrusive_ptr<gathering> all,
                    const std::vector<call_ptr>& calls) {
  return gather(
      weak_from_this(), std::move(all), calls, [](pool& home, call& one) { home.abandon(one); },
      [where = std::move(where), this](const call_ptr& one) {
        if (!where->broken()) return where->submit(one);
        one->fail(connection_error("the transaction's connection broke"));
        on_done(one);
      });
}

task<> pool::run_on(std::shared_ptr<connection> where, call_ptr what, bool shielded) {
  auto initiate = [](auto handler, pool* self, std::shared_ptr<connection> on, call_ptr c, bool keep) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    c->waiter = suspend(std::move(handler));
    if (slot.is_connected() && !keep)
      slot.assign([on, c](asio::cancellation_type type) {
        if (!ends_waits(type) || !c->waiter) return;
        auto waiter = std::move(c->waiter);
        if (!on->broken()) on->abandon(*c);
        waiter.release()->resume(asio::error::operation_aborted);
      });
    if (!on->broken()) return on->submit(std::move(c));
    c->fail(connection_error("the transaction's connection broke"));
    self->on_done(std::move(c));
  };
  return asio::async_initiate<const asio::use_awaitable_t<>, void(error_code)>(
      initiate, asio::use_awaitable, this, std::move(where), std::move(what), shielded);
}

task<std::shared_ptr<connection>> pool::take() {
  const checkout_ptr mine(new checkout);
  const auto self = shared_from_this();
  // However this ends, a connection that was granted and not taken goes back.
  struct leaving {
    std::shared_ptr<pool> home;
    checkout_ptr who;
    ~leaving() {
      auto& queue = home->waiting_;
      const auto left = std::erase_if(queue, [&](const claim& one) { return one.checkout == who; });
      // A connection that was kept for it is everybody's again.
      if (left > 0 && !queue.empty()) home->pump_soon();
      if (who->granted) home->give_back(std::exchange(who->granted, nullptr), false);
    }
  } const at_end{self, mine};

  auto initiate = [](auto handler, pool* home, checkout_ptr who) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    who->waiter = suspend(std::move(handler));
    if (slot.is_connected())
      slot.assign([who](asio::cancellation_type type) {
        if (!ends_waits(type) || !who->waiter) return;
        who->waiter.release()->resume(asio::error::operation_aborted);
      });
    home->bury_dead();
    home->enqueue({nullptr, std::move(who)});
    home->pump();
    home->wake_soon();
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void(error_code)>(
      initiate, asio::use_awaitable, this, mine);
  if (mine->refused) throw failure(std::move(*mine->refused));
  co_return std::exchange(mine->granted, nullptr);
}

}  // namespace corbel::postgres
