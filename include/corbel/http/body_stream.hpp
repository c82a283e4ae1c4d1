#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include <corbel/base/error.hpp>
#include <corbel/runtime/task.hpp>

namespace corbel {

/// What reading from or writing to a client that has vanished throws, inside a `failure`: its code is
/// "client_gone". Nobody will see the answer to it.
error client_gone();
/// Whether `thrown` is that.
bool is_client_gone(const error& thrown) noexcept;

/// A request's body as it arrives. Belongs to the request's loop; one reader at a time.
class body_source {
 public:
  virtual ~body_source() = default;
  /// The next piece, or an empty view once the body has ended, and ever after. The view lives until the next
  /// call. As long as nobody reads, little is taken from the client: it feels the backpressure.
  ///
  /// Throws `failure`: payload_too_large past the route's limit, request_timeout when the client is too slow,
  /// malformed for broken framing, client_gone when there is nobody left to send it. What is thrown once is
  /// thrown again by every later call.
  virtual task<std::string_view> read() = 0;
};

/// Where the bytes of a streamed response go. Belongs to the request's loop; one writer at a time.
class body_sink {
 public:
  virtual ~body_sink() = default;
  /// Takes over the bytes, which need not outlive the call's end; it waits as long as the client reads more
  /// slowly than this is called. Throws `failure` with client_gone when nobody reads any more.
  virtual task<> write(std::string_view bytes) = 0;
  /// Sends what a sink has kept back, such as a compressor's block.
  virtual task<> flush() { co_return; }
};

/// What produces a streamed body: any callable `(body_sink&) -> task<>`. It may capture: the response keeps
/// it alive until its task has ended. Copies share one callable, which is called at most once.
class body_producer {
 public:
  body_producer() = default;
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, body_producer> &&
           std::is_invocable_r_v<task<>, F&, body_sink&>) body_producer(F f)
      : held_(std::make_shared<holder<F>>(std::move(f))) {}

  explicit operator bool() const noexcept { return held_ != nullptr; }
  /// The task must end before the last copy of this goes.
  task<> operator()(body_sink& to) const { return held_->run(to); }

 private:
  struct callable {
    virtual ~callable() = default;
    virtual task<> run(body_sink& to) = 0;
  };
  template <class F>
  struct holder final : callable {
    explicit holder(F f) : call(std::move(f)) {}
    task<> run(body_sink& to) override { return call(to); }
    F call;
  };
  std::shared_ptr<callable> held_;
};

/// The body of a response that is produced while it is sent.
struct streamed_body {
  body_producer produce = {};
  /// Its length in bytes, when known: producing another number of bytes ends the connection. Without it the
  /// body is sent chunked (RFC 9112, 7.1), or to an HTTP/1.0 client until the connection closes.
  std::optional<std::uint64_t> length = {};
  /// It goes on until somebody hangs up, as server-sent events do: a drain cancels it at once instead of
  /// waiting for its end.
  bool endless = false;
};

}  // namespace corbel
