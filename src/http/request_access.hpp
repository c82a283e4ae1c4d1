#pragma once

#include "corbel/http/request.hpp"

namespace corbel {

/// What builds requests: the server's parser, the router, the in-process client. Not for users.
class request_access {
 public:
  explicit request_access(request& r) : r_(r) {}

  /// Forgets everything but the capacity of its buffers, so that a reused request allocates nothing.
  void clear() noexcept;

  void start_line(std::string_view method, std::string_view target, int version);
  /// Replaces the target by another one that names the same resource, such as the path of an absolute-form.
  void target(std::string_view target);
  void add_header(std::string_view name, std::string_view value) { r_.headers_.push_back({name, value}); }
  void body(std::string_view body) { r_.body_ = body; }
  void arriving(body_source* source) { r_.arriving_ = source; }
  void body_limit(std::size_t bytes) { r_.body_limit_ = bytes; }
  void peer(std::string_view address) { r_.peer_ = address; }
  /// What is known of the connection beyond that; null when nothing is.
  void facts(const std::shared_ptr<const connection_facts>& known) {
    if (known) r_.facts_ = known;
  }
  void arrived(std::chrono::steady_clock::time_point when) { r_.arrived_ = when; }
  /// `context` must outlive the request.
  void context(const app_context& context) { r_.context_ = &context; }

  void route(const void* found) noexcept { r_.route_ = found; }
  std::vector<field_view>& params() noexcept { return r_.params_; }
  std::vector<char>& decoded() noexcept { return r_.decoded_; }

  /// The memory that the views point into has moved from `from` (of `size` bytes) to `to`.
  void rebase(const char* from, std::size_t size, const char* to) noexcept;

 private:
  request& r_;
};

}  // namespace corbel
