#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "corbel/runtime/deadline_wheel.hpp"
#include "corbel/runtime/readiness.hpp"
#include "server/http1/head.hpp"
#include "server/worker.hpp"

namespace corbel {

struct exchange;

/// One client. Driven by readiness: on "readable" one read, every complete request in the buffer is served,
/// then one write. Kept small: it owns memory only while something is unfinished.
class connection final : public readiness_handler, public deadline_wheel::entry {
 public:
  connection(worker& home, int fd, std::string peer);
  ~connection();

  void on_ready(readiness what) override;
  /// The exchange's handler has answered after having waited.
  void on_answer(const std::shared_ptr<exchange>& done);
  /// Ends now when idle, otherwise behind the answers in flight.
  void drain();

 private:
  friend class worker;  // for the list below

  enum class phase : std::uint8_t {
    idle,       ///< between requests
    head,       ///< a request has begun to arrive
    body,       ///< its body is arriving
    waiting,    ///< its handler waits
    flushing,   ///< the client does not read as fast as we write
    lingering,  ///< all is said; what the client still sends is thrown away, so that our last words arrive
  };
  struct unread {
    std::string bytes;
    http1::head_scan scan;
  };
  struct unsent {
    std::string bytes;
    std::size_t sent = 0;
  };

  void on_deadline() override;
  void expire();

  void read();
  void consume(std::string_view bytes, http1::head_scan scan);
  /// Serves one request whose bytes are all there: false when its handler waits.
  bool serve_whole(std::string_view bytes, std::string_view body, const http1::message_framing& framing);
  bool begin_body(std::string_view head, std::string_view& rest, const http1::message_framing& framing);
  bool feed_body(std::string_view& rest);
  bool serve_exchange();
  void start_waiting();
  void refuse(request& in, const error& why, response& out);
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
  std::string peer_;
  connection* next_ = nullptr;
  connection* previous_ = nullptr;
};

}  // namespace corbel
