#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "net/stream.hpp"

namespace corbel::net {

/// The addresses of a name or of an address written out, in the resolver's order (RFC 6724). `dns_failed`, or
/// `timed_out` at `due`.
task<result<std::vector<tcp::endpoint>>> find_addresses(std::string host, std::uint16_t port, time_point due);

/// Connects to one of these, tried one after the other within the time of all; an address that does not
/// answer leaves time for the next. Gives the last one's failure. Leaves the deadline of the last attempt
/// standing.
task<result<void>> connect_to_any(std::shared_ptr<stream> to, std::vector<tcp::endpoint> all, time_point due);

}  // namespace corbel::net
