#pragma once

#include <algorithm>

#include "corbel/http/request.hpp"

namespace corbel {

class response;

/// A response that an `around` layer waits for: what the layers behind it have set stands in there.
struct nested_response {
  const response& out;
  const nested_response* outer;
};

/// What builds requests: the server's parser, the router, the in-process client. Not for users.
class request_access {
 public:
  explicit request_access(request& r) : r_(r) {}

  /// Forgets everything but the capacity of its buffers, so that a reused request allocates nothing.
  void clear() noexcept;

  /// Forgets the request line and the fields.
  void clear_head() noexcept;

  void start_line(std::string_view method, std::string_view target, int version);
  /// The same with the length of the target's path, where that is known already.
  void start_line(std::string_view method, std::string_view target, std::size_t path_size, int version) {
    r_.method_name_ = method;
    r_.method_ = method_of(method);
    r_.version_ = version;
    r_.target_ = target;
    r_.path_ = target.substr(0, path_size);
    r_.query_ = target.substr(std::min(path_size + 1, target.size()));
  }
  /// Replaces the target by another one that names the same resource, such as the path of an absolute-form.
  void target(std::string_view target);
  void add_header(std::string_view name, std::string_view value) { r_.headers_.push_back({name, value}); }
  /// Sets the first field of that name, or adds one.
  void set_header(std::string_view name, std::string_view value);
  /// Removes all fields of that name: what they say no longer holds for what the request has become.
  void remove_header(std::string_view name);
  void body(std::string_view body) { r_.body_ = body; }
  void arriving(body_source* source) { r_.arriving_ = source; }
  void body_limit(std::size_t bytes) { r_.body_limit_ = bytes; }
  /// `address` must outlive the request, as all that its views point to.
  void peer(std::string_view address) { r_.peer_ = address; }
  /// Where the 36 bytes of the id are to be written, each of which may stand in a header.
  char* make_id() noexcept {
    r_.long_id_.clear();
    r_.id_size_ = r_.short_id_.size();
    r_.made_id_ = true;
    return r_.short_id_.data();
  }
  /// An id that is not ours, each byte of which is known to be one that may stand in a header.
  void checked_id(std::string_view id) {
    r_.id(id);
    r_.made_id_ = true;
  }
  static bool has_checked_id(const request& r) noexcept { return r.made_id_; }
  /// What is known of the connection beyond that; null when nothing is.
  void facts(const std::shared_ptr<const connection_facts>& known) {
    if (known) r_.facts_ = known;
  }
  void arrived(std::chrono::steady_clock::time_point when) { r_.arrived_ = when; }
  /// `context` must outlive the request.
  void context(const app_context& context) { r_.context_ = &context; }

  /// The service's time, perhaps some milliseconds ago.
  timestamp recently() const noexcept;

  /// `path` must outlive the request.
  void route_path(std::string_view path) noexcept { r_.route_path_ = path; }
  std::vector<field_view>& params() noexcept { return r_.params_; }
  std::vector<char>& decoded() noexcept { return r_.decoded_; }

  // The way through the layers. Layers are told apart by their place, from the outermost, 0, inwards. A layer
  // that was left has had its `after`, which is called once.

  /// Whether the way in has begun.
  bool entered() const noexcept { return r_.entered_; }
  void enter() noexcept { r_.entered_ = true; }
  /// The layers from this place on have been left.
  std::size_t left_from() const noexcept { return r_.left_from_; }
  void leave(std::size_t place) noexcept { r_.left_from_ = static_cast<std::uint16_t>(place); }
  /// The client has closed the connection: nobody will see the answer.
  static bool client_left(const request& r) noexcept { return r.client_left_; }
  void note_client_left() noexcept { r_.client_left_ = true; }
  /// The innermost response that an `around` layer waits for; null when none does.
  const nested_response* nested() const noexcept { return r_.nested_; }
  void nested(const nested_response* innermost) noexcept { r_.nested_ = innermost; }

  /// The memory that the views point into has moved from `from` (of `size` bytes) to `to`.
  void rebase(const char* from, std::size_t size, const char* to) noexcept;

 private:
  request& r_;
};

}  // namespace corbel
