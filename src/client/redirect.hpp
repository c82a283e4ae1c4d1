#pragma once

#include "client/exchange.hpp"

namespace corbel::outgoing {

/// Whether the response asks to go elsewhere: 301, 302, 303, 307 or 308 with a Location.
bool is_redirect(const client_response& head);

/// Turns the call into the next one. 303, and 301 or 302 after POST, become GET without a body; 307 and 308
/// keep both (RFC 9110, 15.4). On another origin secrets are left behind, and do not come back.
result<void> follow(const client_response& head, call& what);

}  // namespace corbel::outgoing
