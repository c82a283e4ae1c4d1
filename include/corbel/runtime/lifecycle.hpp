#pragma once

#include <functional>
#include <string>
#include <vector>

#include <corbel/runtime/task.hpp>

namespace corbel {

/// The components of a program, started in the order in which they were added and stopped in reverse.
class lifecycle {
 public:
  using action = std::function<task<>()>;

  /// Either action may be empty. An action runs on the loop that awaits `start` or `stop`.
  void add(std::string name, action start, action stop);

  /// Starts the components that are not started yet. When one throws, those before it are stopped again, and
  /// the exception goes on with the component's name in front.
  task<> start();
  /// Stops what was started. A component that throws does not keep the others from stopping; each that did
  /// is a line of the result.
  task<std::vector<std::string>> stop();

 private:
  struct component {
    std::string name;
    action start;
    action stop;
  };
  std::vector<component> components_;
  std::size_t started_ = 0;
};

}  // namespace corbel
