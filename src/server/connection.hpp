#pragma once

#include <sys/types.h>

#include <boost/asio/cancellation_signal.hpp>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "corbel/runtime/deadline_wheel.hpp"
#include "corbel/runtime/readiness.hpp"
#include "corbel/runtime/task.hpp"
#include "server/held_bytes.hpp"
#include "server/http1/head.hpp"
#include "server/pace.hpp"
#include "server/tls/session.hpp"
#include "server/worker.hpp"

namespace corbel {

struct connection_facts;
struct exchange;
class resolved_route;

/// One client. Driven by readiness: on "readable" one read, every complete request in the buffer is served,
/// then one write. Kept small: it owns memory only while something is unfinished.
class connection final : public readiness_handler, public deadline_wheel::entry {
 public:
  connection(worker& home, int fd, std::string peer);
  ~connection();

  void on_ready(readiness what) override;

  // For the exchange's coroutine, which runs on this connection's loop:

  /// Whether the thread's buffers are free for an answer. Otherwise the coroutine was woken by another
  /// connection's round, and tries again behind it.
  bool can_answer() const noexcept { return starting_ || !home_.busy; }
  /// The guards have decided, before the body is received.
  void on_guarded(const std::shared_ptr<exchange>& asked);
  /// The handler has answered.
  void on_answer(const std::shared_ptr<exchange>& done);
  /// The handler has answered with a body that will now be produced.
  void on_stream(const std::shared_ptr<exchange>& begun);
  /// All of it has been written, or `thrown` cut it short.
  void on_stream_end(const std::shared_ptr<exchange>& done, std::exception_ptr thrown);
  /// The handler waits for more of the body; `tell` says that the client waits to be asked for it.
  void pull(bool tell);
  /// Queues a piece of the streamed body. It is sent when the loop comes round, together with what follows.
  void send_piece(std::string_view before, std::string_view bytes, std::string_view after);
  /// Sends what is queued now. The connection may be gone then: see the exchange's owner.
  void push();
  /// Bytes queued for the client.
  std::size_t backlog() const noexcept { return unsent_ ? unsent_->bytes.size() - unsent_->sent : 0; }

  /// Ends behind the answers in flight; when idle, behind the next one or the grace for it.
  void drain();
  void give_up() noexcept;

 private:
  friend class worker;  // for the list below

  enum class phase : std::uint8_t {
    preface,    ///< a proxy tells who the client is
    handshake,  ///< of TLS
    idle,       ///< between requests
    head,       ///< a request has begun to arrive
    body,       ///< its body is arriving
    waiting,    ///< its handler waits
    streaming,  ///< its response is still produced
    flushing,   ///< the client does not read as fast as we write
    lingering,  ///< all is said; what the client still sends is thrown away, so that our last words arrive
  };
  struct unread {
    std::string bytes;
    http1::head_scan scan;
    held_bytes held;
  };
  struct unsent {
    std::string bytes;
    std::size_t sent = 0;
    pace taken;  ///< how the client takes it
    held_bytes held;
    bool push_posted = false;  ///< of a streamed body: the loop will send it
  };

  /// What a connection needs that speaks TLS.
  struct protection {
    protection(std::shared_ptr<const tls::context> with, int fd) : session(std::move(with), fd) {}

    tls::session session;
    interest wanted = interest::read;    ///< as `watch` was told
    bool read_posted = false;            ///< the loop will call `read_now`
    std::shared_ptr<connection*> owner;  ///< for what is posted; null in it once the connection is gone
  };

  void on_deadline() override;
  void expire();
  void end_idle();
  void expire_waiting();
  void answer_instead(const error& why);

  // Of the time before the first request, and of TLS: connection_opening.cpp.
  void prepare();
  void note_peer();
  void open();
  bool read_preface();
  bool shake_hands();
  void refuse_plain();
  ssize_t receive_protected(char* into, std::size_t room);
  ssize_t transmit_protected(std::string_view bytes);
  interest watch_protected(interest wanted);
  void read_soon();
  void read_now();
  void end_protection() noexcept;

  ssize_t receive(char* into, std::size_t room);
  ssize_t transmit(std::string_view bytes);

  /// Whether a handler, or the producer of its body, has the word.
  bool in_exchange() const noexcept { return phase_ == phase::waiting || phase_ == phase::streaming; }
  void read();
  void read_upload();
  void push_later();
  void hold_unsent();
  void consume(std::string_view bytes, http1::head_scan scan);
  /// Serves one request whose bytes are all there: false when its handler waits.
  bool serve_whole(const resolved_route& route, std::string_view bytes, std::string_view body,
                   const http1::message_framing& framing);
  bool begin_body(const resolved_route& route, std::string_view head, std::string_view& rest,
                  const http1::message_framing& framing);
  /// Makes ready for the body, of which `arrived` bytes are there at the most, now that the guards have
  /// decided; false when that ends the connection.
  bool admit(std::size_t arrived);
  bool feed_body(std::string_view& rest);
  /// Counts what a body that is not all there holds; turns it down when that is too much.
  void hold_body();
  /// Whether there is no time or no memory for a request. Asked only while something is wrong.
  bool must_shed(const resolved_route& route);
  /// Whether a request whose handler waits may wait with the others of its route.
  bool may_wait(const resolved_route& route, gate_pass& pass);
  /// Answers `in` with a refusal that costs little. Its bytes are all there if `keep_alive`.
  void turn_down(const resolved_route& route, request& in, response& out, bool keep_alive);
  bool serve_exchange();
  /// The request gets memory of its own, since the buffer is the next connection's.
  exchange& make_exchange(const resolved_route& route, std::string_view bytes,
                          const http1::message_framing& framing);
  /// Runs what waits: the handler, unless it has answered already, and the producer of its body.
  void start_waiting(bool answered);
  /// Runs the guards, which wait; the body is received behind them.
  void start_guarding();
  void spawn(task<> work, boost::asio::cancellation_signal& cancel);
  /// Puts the head of `done`'s answer into the output and lets go of it.
  void append_and_forget(const std::shared_ptr<exchange>& done);
  void refuse(const resolved_route& route, request& in, const error& why, response& out);
  void append(const request& in, const response& reply, bool keep_alive);
  void finish_round(std::string_view rest, const http1::head_scan& scan);
  bool flush();
  void write_unsent();
  void resume();
  void abandon();
  void settle();
  void linger();
  void watch(interest what);
  void destroy();

  worker& home_;
  int fd_;
  phase phase_ = phase::idle;
  interest watched_ = interest::read;
  bool closing_ = false;   ///< nothing more is read from this client
  bool starting_ = false;  ///< the handler is being started, and may still answer at once
  std::uint32_t served_ = 0;
  std::chrono::steady_clock::time_point began_;  ///< when the request in hand began to arrive
  std::unique_ptr<unread> unread_;
  std::unique_ptr<unsent> unsent_;
  std::shared_ptr<exchange> exchange_;
  std::unique_ptr<protection> tls_;
  std::shared_ptr<const connection_facts> facts_;  ///< null on most plain connections
  std::string peer_;
  connection* next_ = nullptr;
  connection* previous_ = nullptr;
};

}  // namespace corbel
