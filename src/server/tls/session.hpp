#pragma once

#include <openssl/ssl.h>
#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "corbel/http/tls_info.hpp"
#include "corbel/runtime/readiness.hpp"
#include "server/tls/context.hpp"

namespace corbel::tls {

/// TLS over one non-blocking descriptor, which it does not own. It never waits: what it cannot do yet it says
/// by EAGAIN, like the system calls it stands in for, and by `real` for what it has to wait.
class session {
 public:
  /// Throws std::bad_alloc.
  session(std::shared_ptr<const context> with, int fd);
  ~session();
  session(const session&) = delete;
  session& operator=(const session&) = delete;

  enum class progress : std::uint8_t { done, again, failed };
  /// Goes on with the handshake. `again`: wait for `real(interest::read)`.
  progress handshake();
  /// Why it failed, by OpenSSL's words.
  const std::string& failure() const noexcept { return failure_; }
  /// Behind the handshake.
  tls_info describe() const;

  /// As recv(2): bytes, 0 at the end, which the client need not announce, or -1 with errno.
  ssize_t read(char* into, std::size_t room);
  /// As send(2). What was refused by EAGAIN must be offered again, with more behind it at most.
  ssize_t write(std::string_view bytes);

  /// Whether `read` has something to say that the descriptor's readiness will not tell.
  bool pending() const noexcept;
  /// Tells the client that nothing more comes (close_notify), as far as that is possible without waiting.
  void say_goodbye() noexcept;
  /// The client shall notice that the connection was cut short: no goodbye.
  void cut() noexcept { may_say_goodbye_ = false; }

  /// What to watch the descriptor for, where `wanted` is what to do with the connection.
  interest real(interest wanted) const noexcept;
  /// What can be done with the connection when the descriptor is ready for `what`.
  readiness meant(readiness what) const noexcept;

 private:
  struct deleter {
    void operator()(SSL* s) const noexcept { SSL_free(s); }
  };
  /// Notes what an operation waits for; sets errno.
  void note(int result, bool& crossed);

  std::shared_ptr<const context> context_;  // the handshake looks names up in it
  std::unique_ptr<SSL, deleter> ssl_;
  std::string failure_;
  bool read_wants_write_ = false;
  bool write_wants_read_ = false;
  bool drained_ = false;  // the last read took all there was
  bool ended_ = false;    // read has met the end, or an error
  bool may_say_goodbye_ = false;
};

}  // namespace corbel::tls
