#pragma once

#include <cstdint>
#include <optional>

#include <corbel/base/time.hpp>
#include <corbel/http/entity_tag.hpp>
#include <corbel/http/request.hpp>
#include <corbel/http/response.hpp>

namespace corbel {

// Conditional requests (RFC 9110, 13): pure functions of the request and of what the resource is now. To be
// asked only where the answer without conditions would be a 2xx (13.2.1).

/// What is known of a resource's present state.
struct validators {
  std::optional<entity_tag> etag;
  std::optional<timestamp> last_modified;
  bool exists = true;  ///< false for what a PUT would create
};

enum class precondition : std::uint8_t {
  proceed,       ///< do what was asked
  not_modified,  ///< 304: the client's copy is still good
  failed,        ///< 412: the resource is not in the state that the client thinks it is
};

/// If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since in the order of RFC 9110, 13.2.2.
/// If-Match compares strongly, If-None-Match weakly; dates count in whole seconds; a date that cannot be read
/// is ignored; a tag that cannot be read matches nothing. For CONNECT, OPTIONS and TRACE it is `proceed`.
precondition evaluate_preconditions(const request& in, const validators& current);

/// Writes ETag and Last-Modified (never one in the future) into `out`.
void set_validators(const request& in, const validators& current, response& out);

/// The whole of it for a reply that stands in `out` already: sets the validators, and makes the reply a 304
/// without a body (keeping Cache-Control, Vary and the like), or the error envelope with 412, where a
/// condition says so.
precondition apply_preconditions(const request& in, const validators& current, response& out);

/// The 412 as an error.
error precondition_failed();

}  // namespace corbel
