#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "corbel/http/middleware.hpp"
#include "corbel/routing/endpoint.hpp"

namespace corbel {

/// The layers that a request passes, in order, and the endpoint behind them. Whatever throws in here becomes
/// a response in here, through http/problem: this is the error boundary, and it cannot be left out.
class pipeline {
 public:
  using layers = std::vector<std::shared_ptr<const middleware>>;

  pipeline(layers all, std::shared_ptr<const endpoint> end);

  bool waits() const noexcept { return waits_; }
  const route_limits& limits() const noexcept { return limits_; }
  const corbel::endpoint& end() const noexcept { return *end_; }

  /// Only when it does not wait.
  void serve(request& in, response& out) const noexcept;
  task<void> serve_waiting(request& in, response& out) const { return run(0, in, out); }
  /// Answers with an error that arose before any handler: the layers that do not wait see it, and their
  /// answers stand back behind it.
  void refuse(request& in, const error& why, response& out) const noexcept;

 private:
  task<void> run(std::size_t from, request& in, response& out) const;
  static task<response> run_next(const void* self, std::size_t from, request* in);
  /// From `from` to the first layer that waits, or that stops or throws: how far it got.
  std::size_t enter(std::size_t from, request& in, response& out, bool& stopped) const noexcept;
  void leave(std::size_t from, std::size_t to, const request& in, response& out) const noexcept;

  /// What a layer says of itself, asked once.
  struct step {
    const middleware* layer;
    bool waits, enters, leaves;
  };

  layers layers_;
  std::vector<step> steps_;
  /// The layers that enter, and those that leave, each with its place: all that `serve` has to go through.
  std::vector<std::pair<std::size_t, const middleware*>> entering_, leaving_;
  std::shared_ptr<const corbel::endpoint> end_;
  route_limits limits_;
  bool waits_;
};

}  // namespace corbel
