// How coroutines wait for what a pool does for them.
#include "data/postgres/pool.hpp"

namespace corbel::postgres {

using corbel::detail::suspend;
using suspended_ptr = std::unique_ptr<corbel::detail::suspended>;

task<> pool::run(call_ptr what) {
  auto withdraw = [weak = weak_from_this(), what]() -> suspended_ptr {
    if (!what->waiter) return nullptr;
    auto waiter = std::move(what->waiter);
    if (const auto still = weak.lock()) still->abandon(*what);
    return waiter;
  };
  auto begin = [this, what = std::move(what)](suspended_ptr who) mutable {
    what->waiter = std::move(who);
    start(std::move(what));
  };
  return suspend(std::move(begin), std::move(withdraw));
}

namespace {

/// For many calls at once: `submit` starts each. They belong to the coroutine that waits.
template <class Submit>
task<> gather(std::weak_ptr<pool> home, boost::intrusive_ptr<gathering> all,
              const std::vector<call_ptr>& calls, void (*abandon)(pool&, call&), Submit submit) {
  auto begin = [all, each = &calls, submit = std::move(submit)](suspended_ptr who) {
    all->left = each->size();
    all->waiter = std::move(who);
    for (const auto& one : *each) {
      one->together = all;
      submit(one);
    }
  };
  auto withdraw = [home = std::move(home), all = std::move(all), each = &calls, abandon]() -> suspended_ptr {
    if (!all->waiter) return nullptr;
    auto waiter = std::move(all->waiter);
    if (const auto still = home.lock())
      for (const auto& one : *each)
        if (!one->done()) abandon(*still, *one);
    return waiter;
  };
  return suspend(std::move(begin), std::move(withdraw));
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
  auto withdraw = [where, what]() -> suspended_ptr {
    if (!what->waiter) return nullptr;
    auto waiter = std::move(what->waiter);
    if (!where->broken()) where->abandon(*what);
    return waiter;
  };
  auto begin = [this, where = std::move(where), what = std::move(what)](suspended_ptr who) mutable {
    what->waiter = std::move(who);
    if (!where->broken()) return where->submit(std::move(what));
    what->fail(connection_error("the transaction's connection broke"));
    on_done(std::move(what));
  };
  if (shielded) return suspend(std::move(begin));
  return suspend(std::move(begin), std::move(withdraw));
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

  auto begin = [this, mine](suspended_ptr who) {
    mine->waiter = std::move(who);
    bury_dead();
    enqueue({nullptr, mine});
    pump();
    wake_soon();
  };
  auto withdraw = [mine] { return std::move(mine->waiter); };
  co_await suspend(std::move(begin), std::move(withdraw));
  if (mine->refused) throw failure(std::move(*mine->refused));
  co_return std::exchange(mine->granted, nullptr);
}

}  // namespace corbel::postgres
