#include "corbel/runtime/event_loop.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace corbel {
namespace asio = boost::asio;

event_loop::event_loop() : owned_(std::make_unique<asio::io_context>(1)), context_(owned_.get()) {
  descriptors_ = std::make_unique<readiness_set>(*context_);
  deadlines_ = std::make_unique<deadline_wheel>(*context_);
  watch_rounds();
}

event_loop::event_loop(asio::io_context& host) : context_(&host) {
  descriptors_ = std::make_unique<readiness_set>(*context_);
  deadlines_ = std::make_unique<deadline_wheel>(*context_);
  watch_rounds();
}

event_loop::~event_loop() = default;

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
