#include "corbel/runtime/lifecycle.hpp"

#include <exception>
#include <stdexcept>

#include "base/exception_text.hpp"

namespace corbel {
namespace {}  // namespace

void lifecycle::add(std::string name, action start, action stop) {
  components_.push_back({std::move(name), std::move(start), std::move(stop)});
}

task<> lifecycle::start() {
  for (; started_ < components_.size(); ++started_) {
    auto& next = components_[started_];
    std::exception_ptr thrown;
    try {
      if (next.start) co_await next.start();
    } catch (...) {
      thrown = std::current_exception();
    }
    if (thrown) {
      const std::string what = next.name + ": " + exception_text(thrown);
      (void)co_await stop();
      throw std::runtime_error(what);
    }
  }
}

task<std::vector<std::string>> lifecycle::stop() {
  std::vector<std::string> failed;
  while (started_ > 0) {
    auto& last = components_[--started_];
    try {
      if (last.stop) co_await last.stop();
    } catch (...) {
      failed.push_back(last.name + ": " + exception_text(std::current_exception()));
    }
  }
  co_return failed;
}

}  // namespace corbel
