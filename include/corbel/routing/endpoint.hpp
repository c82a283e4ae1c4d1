#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <corbel/base/describe/type.hpp>
#include <corbel/base/result.hpp>
#include <corbel/http/request.hpp>
#include <corbel/http/response.hpp>
#include <corbel/http/services.hpp>
#include <corbel/runtime/task.hpp>

namespace corbel {

/// What a handler's signature says it takes and gives; checked at start, and read by whatever documents the
/// API.
struct endpoint_contract {
  std::vector<std::string_view> path_params;  ///< names; an empty one is the next that no other takes
  struct need {
    type_key key;
    std::string_view name;
  };
  std::vector<need> services;
  std::vector<const type_descriptor*> inputs;        ///< body and query types, whose rules must be sound
  std::vector<const type_descriptor*> field_inputs;  ///< those read from name=value pairs
  std::vector<std::string> mistakes;                 ///< what a parameter knows to be wrong; stops the start
};

/// The last stage of a pipeline, erased: extraction, the handler, and its reply.
class endpoint {
 public:
  virtual ~endpoint() = default;
  virtual bool waits() const noexcept = 0;
  /// Whether it reads the body while it arrives. Only when it waits.
  virtual bool streams_body() const noexcept { return false; }
  /// Whether it decides from the head, before the body is received: as a layer's `guard`, behind all of
  /// those.
  virtual bool guards() const noexcept { return false; }
  virtual bool guard_waits() const noexcept { return false; }
  virtual result<void> guard(request&) const { return {}; }
  virtual task<result<void>> guard_waiting(request&) const { co_return result<void>{}; }
  /// Only when it does not wait. May throw.
  virtual void serve(request& in, response& out) const = 0;
  /// Only when it waits. May throw.
  virtual task<void> serve_waiting(request& in, response& out) const = 0;
  virtual endpoint_contract contract() const { return {}; }
};

}  // namespace corbel
