#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "load/histogram.hpp"

namespace load {

/// One run of the generator.
struct plan {
  std::string host = "127.0.0.1";  ///< a numeric address
  std::uint16_t port = 0;
  std::string method = "GET";
  std::string path = "/";
  std::vector<std::string> headers;  ///< "Name: value"
  std::string body;

  std::size_t connections = 64;  ///< that send requests
  std::size_t idle = 0;          ///< more of them, each asked once and then left alone
  std::size_t depth = 1;         ///< requests in flight on one connection
  /// Open loop: requests a second over all connections, due at fixed times whether or not the server keeps
  /// up. 0 is the closed loop: each connection sends its next `depth` requests when it has the replies to the
  /// last ones.
  double rate = 0;
  /// Open loop: the requests are due at random times (a Poisson process of that rate), the same for the same
  /// seed, in place of evenly spaced ones, which can fall into step with something else.
  std::optional<std::uint64_t> seed;

  std::chrono::nanoseconds warm_up = std::chrono::milliseconds(200);
  std::chrono::nanoseconds duration = std::chrono::seconds(1);  ///< measured, behind the warm-up
  std::chrono::nanoseconds patience = std::chrono::seconds(5);  ///< then a request counts as timed out

  bool spin = false;  ///< never sleep: only with a core of its own (see poller)

  int status = 200;                   ///< any other is an error
  std::optional<std::size_t> length;  ///< of each body; any other is an error
  std::vector<pid_t> servers;         ///< whose CPU and memory are measured
  bool whole_histogram = false;       ///< to_json gives every bucket of the latencies, too
};

/// The request as it goes on the wire.
std::string request_text(const plan& p);

/// What became of the requests. Each that was due ends in exactly one of `answered` and the errors.
struct tally {
  std::uint64_t due = 0;
  std::uint64_t answered = 0;  ///< with the right status and length
  std::uint64_t wrong_status = 0;
  std::uint64_t wrong_length = 0;
  std::uint64_t malformed = 0;  ///< the reply was no HTTP
  std::uint64_t broken = 0;     ///< the connection ended before the reply did
  std::uint64_t timed_out = 0;  ///< no reply within `patience`
  std::uint64_t unconnected =
      0;  ///< still not sent when the run was over, for want of a connection or a reply

  std::uint64_t reconnects = 0;     ///< after the server had announced a connection's end; no error
  std::uint64_t resent = 0;         ///< pipelined behind that announcement, so sent again; no error
  std::uint64_t refused = 0;        ///< connections that could not be had, each tried again
  std::uint64_t idle_lost = 0;      ///< idle connections that the server closed
  std::uint64_t within_window = 0;  ///< right replies that arrived while the server's CPU was being measured

  std::uint64_t errors() const noexcept {
    return wrong_status + wrong_length + malformed + broken + timed_out + unconnected;
  }
};

struct outcome {
  tally all;
  /// Of right replies to requests due within the measured time. Open loop: from the time the request was due.
  /// Closed loop: from its send, so it is blind to what a stalled server kept it from sending.
  histogram latency;
  /// How late the generator itself sent, with a connection free: what it adds to the latencies.
  histogram lag;
  double seconds = 0;         ///< the measured time
  double server_cpu = 0;      ///< seconds of CPU in it
  double server_starved = 0;  ///< seconds in it that the server was kept off its core by others
  double load_cpu = 0;
  double load_starved = 0;
  std::uint64_t resident_before = 0;  ///< bytes of the servers: before the first connection,
  std::uint64_t resident_after = 0;   ///< and when all connections had been asked once
  std::size_t opened = 0;
};

/// Runs it on the calling thread. Throws std::runtime_error when no connection can be had at all.
outcome run(const plan& p);

/// The outcome as one JSON object.
std::string to_json(const plan& p, const outcome& o);

}  // namespace load
