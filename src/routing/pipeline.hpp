#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "corbel/http/handler.hpp"
#include "corbel/http/middleware.hpp"
#include "corbel/routing/endpoint.hpp"

namespace corbel {

/// The layers that a request passes, in order, and the endpoint behind them. Whatever throws in here becomes
/// a response in here, through http/problem: this is the error boundary, and it cannot be left out.
class pipeline final : public resolved_route {
 public:
  using layers = std::vector<std::shared_ptr<const middleware>>;

  /// `path` is the route's, as registered, empty for what stands in where there is none; `body_limit`, in
  /// bytes, holds where no layer sets one.
  pipeline(layers all, std::shared_ptr<const endpoint> end, std::string path, std::size_t body_limit);

  const std::string& path() const noexcept { return path_; }

  result<void> guard(request& head) const noexcept override;
  task<result<void>> guard_waiting(request& head) const override;
  void serve(request& in, response& out) const noexcept override;
  task<void> serve_waiting(request& in, response& out) const override { return run(0, in, out); }
  void refuse(request& in, const error& why, response& out) const noexcept override;

 private:
  /// How far a request has come: the layers before `end` have been entered.
  struct way {
    std::size_t end;
    bool stopped;  ///< the last of them has answered, or has thrown
  };

  task<void> run(std::size_t from, request& in, response& out) const;
  static task<response> run_next(const void* self, std::size_t from, request* in);
  /// From `from` up to the first layer that has an `around`, and into that.
  way enter(std::size_t from, request& in, response& out) const noexcept;
  /// Calls `after` of the layers from `from` to `end`, from the inside out, but of none a second time.
  void leave(std::size_t from, std::size_t end, request& in, response& out) const noexcept;

  /// What a layer says of itself, asked once.
  struct step {
    const middleware* layer;
    bool waits, enters, leaves;
  };

  layers layers_;
  std::vector<step> steps_;
  /// The layers that guard, enter and leave, with their places: all that a request has to go through.
  std::vector<const middleware*> guards_;
  std::vector<std::pair<std::size_t, const middleware*>> entering_, leaving_;
  std::shared_ptr<const corbel::endpoint> end_;
  std::string path_;
};

}  // namespace corbel
