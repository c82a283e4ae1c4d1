#include "corbel/runtime/event_loop.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/strand.hpp>
#include <stdexcept>

#include "runtime/mailbox.hpp"

namespace corbel {
namespace asio = boost::asio;

/// Lets a context tell its loop.
struct event_loop::registry final : asio::execution_context::service {
  using key_type = registry;
  static inline asio::execution_context::id id;

  explicit registry(asio::execution_context& context) : service(context) {}
  // Before the context destroys the coroutines that wait on it.
  void shutdown() override { guest.reset(); }

  event_loop* loop = nullptr;
  std::unique_ptr<event_loop> guest;
};

event_loop::event_loop() : event_loop(std::make_unique<asio::io_context>(1)) {}

event_loop::event_loop(std::unique_ptr<asio::io_context> own) : event_loop(*own) {
  owned_ = std::move(own);
}

event_loop::event_loop(asio::io_context& host) : context_(&host) {
  descriptors_ = std::make_unique<readiness_set>(*context_);
  deadlines_ = std::make_unique<deadline_wheel>(*context_);
  mail_ = std::make_shared<detail::mailbox>(*this);
  watch_rounds();
  asio::use_service<registry>(host).loop = this;
}

event_loop::~event_loop() {
  mail_->close();
  // What is kept here may still use the loop; what it lets go of may keep something new.
  while (!locals_.empty()) locals_.extract(locals_.begin());
  auto& known = asio::use_service<registry>(*context_);
  if (known.loop == this) known.loop = nullptr;
}

event_loop& event_loop::of(asio::io_context& context) {
  auto& known = asio::use_service<registry>(context);
  if (!known.loop) {
    known.guest = std::make_unique<event_loop>(context);
    known.guest->guest_ = true;
  }
  return *known.loop;
}

namespace {

/// Null when it belongs to something else than an io_context.
asio::io_context* context_of(const asio::any_io_executor& executor) {
  using plain = asio::io_context::executor_type;
  if (const auto* found = executor.target<plain>()) return &found->context();
  if (const auto* found = executor.target<asio::strand<plain>>())
    return &found->get_inner_executor().context();
  if (const auto* found = executor.target<asio::strand<asio::any_io_executor>>())
    return context_of(found->get_inner_executor());
  return nullptr;
}

/// An executor that, say, never runs anything at once is of another type than the context gives.
asio::any_io_executor without_properties(const asio::any_io_executor& executor) {
  const auto any_time = asio::prefer(executor, asio::execution::blocking.possibly);
  const auto uncounted = asio::prefer(any_time, asio::execution::outstanding_work.untracked);
  return asio::prefer(uncounted, asio::execution::relationship.fork);
}

}  // namespace

event_loop& loop_of(const asio::any_io_executor& executor) {
  auto* context = context_of(executor);
  if (!context && executor) context = context_of(without_properties(executor));
  if (!context)
    throw std::logic_error(
        "This coroutine does not run on a boost::asio::io_context, and databases, clients and servers need "
        "one with a single thread: start it by co_spawn on an io_context, or an app's loop, instead of on a "
        "thread_pool, a system_executor or an executor of your own.");
  return event_loop::of(*context);
}

void event_loop::watch_rounds() {
  descriptors_->before_batch(
      [](void* context, bool follows) {
        auto& self = *static_cast<event_loop*>(context);
        self.now_ = std::chrono::steady_clock::now();
        self.lag_.begin_round(self.now_, follows);
      },
      this);
}

void event_loop::run() {
  const auto stay = asio::make_work_guard(*context_);
  context_->run();
}

void event_loop::stop() {
  context_->stop();
}

void event_loop::post(std::function<void()> work) {
  asio::post(*context_, std::move(work));
}

}  // namespace corbel
