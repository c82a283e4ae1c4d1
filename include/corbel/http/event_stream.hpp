#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <corbel/base/describe/type_of.hpp>
#include <corbel/base/json/writer.hpp>
#include <corbel/base/temporaries.hpp>
#include <corbel/http/body_stream.hpp>
#include <corbel/runtime/task.hpp>

namespace corbel {

/// One server-sent event (WHATWG HTML, 9.2), in UTF-8: `server_event("text").event("note").id("7")`.
class server_event {
 public:
  /// Without data, clients report nothing, but keep `id` and `retry`.
  server_event() = default;
  /// `data` is any lines: their ends, CRLF, CR or LF, arrive as LF.
  server_event(std::string data) : data_(std::move(data)) {}
  server_event(const char* data) : data_(data) {}

  server_event& data(std::string text) & {
    data_ = std::move(text);
    return *this;
  }
  /// What kind it is: the client's listeners are called by it; empty for "message". No CR, LF, NUL.
  server_event& event(std::string name) & {
    event_ = std::move(name);
    return *this;
  }
  /// What the client names as `Last-Event-ID` when it comes back; an empty one makes it forget. No CR, LF,
  /// NUL.
  server_event& id(std::string text) & {
    id_ = std::move(text);
    return *this;
  }
  /// How long the client waits before it connects again; not negative.
  server_event& retry(std::chrono::milliseconds wait) & {
    retry_ = wait;
    return *this;
  }
  server_event&& data(std::string text) && { return std::move(data(std::move(text))); }
  server_event&& event(std::string name) && { return std::move(event(std::move(name))); }
  server_event&& id(std::string text) && { return std::move(id(std::move(text))); }
  server_event&& retry(std::chrono::milliseconds wait) && { return std::move(retry(wait)); }

  const std::optional<std::string>& data() const& noexcept { return data_; }
  const std::string& event() const& noexcept { return event_; }
  const std::optional<std::string>& id() const& noexcept { return id_; }
  const std::optional<std::chrono::milliseconds>& retry() const& noexcept { return retry_; }

 private:
  std::optional<std::string> id_;
  std::string event_;
  std::optional<std::string> data_;
  std::optional<std::chrono::milliseconds> retry_;
};

/// Appends an event as it goes over the wire. Throws std::invalid_argument for a character that an id or an
/// event's name may not hold, and for a negative `retry`.
void append_event(std::string& out, const server_event& e);
/// Appends a comment, which clients ignore.
void append_comment(std::string& out, std::string_view text);

/// Where a producer sends its events. Belongs to the request's loop; one call at a time.
///
/// Every function waits as long as the client reads more slowly than events are made, and throws `failure`
/// (`is_client_gone`) when it has vanished.
class event_sink {
 public:
  /// Throws as `append_event`.
  task<> send(const server_event& e);
  /// The value as JSON in `data`; `rest` says what else the event has. g++ 12 refuses a value without a name
  /// (`corbel/base/temporaries.hpp`).
  template <class T>
  task<> send_json(const T& value, server_event rest = server_event()) {
    rest.data(json::to_text(value));
    return send(rest);
  }
  template <detail::risky_temporary T>
  task<> send_json(T&& value, server_event rest = server_event()) {
    detail::name_it_first<T>();
    return send_json(std::as_const(value), std::move(rest));
  }
  task<> comment(std::string_view text);
  /// Text that `append_event` made, any number of events. It need not outlive the call's end.
  task<> write(std::string_view formatted);

 private:
  friend class event_stream;
  struct state;
  explicit event_sink(state& s) : state_(&s) {}
  task<> write_owned(std::string text);

  state* state_;
};

/// A stream of server-sent events, as a handler's result:
///
///     event_stream ticks(state<market> prices) {
///       return event_stream([&market = *prices](event_sink& to) -> task<> {
///         for (;;) {
///           const auto price = co_await market.next();
///           co_await to.send_json(price);
///         }
///       });
///     }
///
/// The callable `(event_sink&) -> task<>` may capture. It is cancelled when the client vanishes and when the
/// service stops; where it ends, the client waits a little (`retry`) and asks again. A client that reads
/// nothing holds its producer back, nothing else.
class event_stream {
 public:
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, event_stream> &&
           std::is_invocable_r_v<task<>, F&, event_sink&>) explicit event_stream(F produce)
      : produce_(std::make_shared<producer_of<F>>(std::move(produce))) {}

  /// Tells the client to stop for good: 204. An EventSource does not come back after it.
  static event_stream stop() { return event_stream(); }

  /// A comment is sent after so much silence, 15 s unless said otherwise: it keeps proxies from hanging up,
  /// and finds out whether the client is still there.
  event_stream&& heartbeat(std::chrono::milliseconds interval) && {
    heartbeat_ = interval;
    return std::move(*this);
  }
  /// How long the client waits before it connects again; browsers take some seconds without it.
  event_stream&& retry(std::chrono::milliseconds wait) && {
    retry_ = wait;
    return std::move(*this);
  }

  bool stops() const noexcept { return !produce_; }
  /// The body of the response. Precondition: !stops().
  streamed_body body() const;

 private:
  struct producer {
    virtual ~producer() = default;
    virtual task<> run(event_sink& to) = 0;
  };
  template <class F>
  struct producer_of final : producer {
    explicit producer_of(F f) : call(std::move(f)) {}
    task<> run(event_sink& to) override { return call(to); }
    F call;
  };

  event_stream() = default;
  static task<> run(std::shared_ptr<producer> produce, std::chrono::milliseconds heartbeat,
                    std::optional<std::chrono::milliseconds> retry, body_sink& to);
  static task<> run_producer(producer& made, event_sink to, std::exception_ptr& thrown);
  static task<> beat(event_sink to, std::chrono::milliseconds interval, std::exception_ptr& thrown);

  std::shared_ptr<producer> produce_;
  std::chrono::milliseconds heartbeat_{15'000};
  std::optional<std::chrono::milliseconds> retry_;
};

/// The id of the last event that a returning client has seen, as a handler's parameter; empty for a new one.
struct last_event_id {
  last_event_id() = default;
  explicit last_event_id(std::optional<std::string> id) : value(std::move(id)) {}

  std::optional<std::string> value;
};

}  // namespace corbel
