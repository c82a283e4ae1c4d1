#include "server/tls/session.hpp"

#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <new>

namespace corbel::tls {
namespace {

// A descriptor as OpenSSL sees it. Its own kind of socket BIO writes by write(2), which raises SIGPIPE.

int fd_of(BIO* b) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(b)));
}

bool would_block() {
  return errno == EAGAIN || errno == EINTR;
}

int read_fd(BIO* b, char* into, int room) {
  BIO_clear_retry_flags(b);
  const auto n = ::recv(fd_of(b), into, static_cast<std::size_t>(room), 0);
  if (n < 0 && would_block()) BIO_set_retry_read(b);
  if (n == 0) BIO_set_flags(b, BIO_FLAGS_IN_EOF);
  return static_cast<int>(n);
}

int write_fd(BIO* b, const char* bytes, int size) {
  BIO_clear_retry_flags(b);
  const auto n = ::send(fd_of(b), bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (n < 0 && would_block()) BIO_set_retry_write(b);
  return static_cast<int>(n);
}

long control_fd(BIO* b, int what, long, void*) {
  if (what == BIO_CTRL_FLUSH) return 1;
  if (what == BIO_CTRL_EOF) return BIO_test_flags(b, BIO_FLAGS_IN_EOF) != 0;
  return 0;
}

BIO_METHOD* descriptor_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* const made =
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK | BIO_TYPE_DESCRIPTOR, "corbel");
    if (!made) throw std::bad_alloc();
    BIO_meth_set_read(made, &read_fd);
    BIO_meth_set_write(made, &write_fd);
    BIO_meth_set_ctrl(made, &control_fd);
    return made;
  }();
  return method;
}

}  // namespace

session::session(std::shared_ptr<const context> with, int fd)
    : context_(std::move(with)), ssl_(SSL_new(context_->first())) {
  BIO* const bio = ssl_ ? BIO_new(descriptor_method()) : nullptr;
  if (!bio) throw std::bad_alloc();
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(fd)));
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_accept_state(ssl_.get());
}

session::~session() = default;

void session::note(int result, bool& crossed) {
  const bool reading = &crossed == &read_wants_write_;
  const int reason = errno;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      crossed = !reading;
      errno = EAGAIN;
      return;
    case SSL_ERROR_WANT_WRITE:
      crossed = reading;
      errno = EAGAIN;
      return;
    case SSL_ERROR_ZERO_RETURN: errno = 0; return;
    case SSL_ERROR_SYSCALL:
      may_say_goodbye_ = false;
      errno = reason != 0 && reason != EAGAIN ? reason : ECONNRESET;
      return;
    default: {
      may_say_goodbye_ = false;
      const char* const text = ERR_reason_error_string(ERR_peek_error());
      failure_ = text ? text : "unknown";
      ERR_clear_error();
      errno = EPROTO;
    }
  }
}

session::progress session::handshake() {
  ERR_clear_error();
  read_wants_write_ = false;
  errno = 0;
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    may_say_goodbye_ = true;
    drained_ = false;
    return progress::done;
  }
  note(result, read_wants_write_);
  drained_ = true;
  if (errno == EAGAIN) return progress::again;
  if (failure_.empty()) failure_ = "the client went away";
  return progress::failed;
}

ssize_t session::read(char* into, std::size_t room) {
  std::size_t have = 0;
  read_wants_write_ = false;
  // One call gives one record at most; what lies behind it in OpenSSL's own buffer no poll would tell of.
  while (have < room && !ended_) {
    ERR_clear_error();
    errno = 0;
    drained_ = false;
    const int n =
        SSL_read(ssl_.get(), into + have, static_cast<int>(std::min<std::size_t>(room - have, INT_MAX)));
    if (n > 0) {
      have += static_cast<std::size_t>(n);
      if (SSL_has_pending(ssl_.get()) == 0) break;
      continue;
    }
    note(n, read_wants_write_);
    if (errno == EAGAIN) {
      drained_ = true;
      return have > 0 ? static_cast<ssize_t>(have) : -1;
    }
    ended_ = true;
    if (have == 0) return errno == 0 ? 0 : -1;
  }
  return static_cast<ssize_t>(have);
}

ssize_t session::write(std::string_view bytes) {
  std::size_t done = 0;
  write_wants_read_ = false;
  while (done < bytes.size()) {
    ERR_clear_error();
    errno = 0;
    const int n = SSL_write(ssl_.get(), bytes.data() + done,
                            static_cast<int>(std::min<std::size_t>(bytes.size() - done, INT_MAX)));
    if (n > 0) {
      done += static_cast<std::size_t>(n);
      continue;
    }
    note(n, write_wants_read_);
    if (errno == 0) errno = EPIPE;
    break;
  }
  return done > 0 || bytes.empty() ? static_cast<ssize_t>(done) : -1;
}

bool session::pending() const noexcept {
  return ended_ || (!drained_ && SSL_has_pending(ssl_.get()) != 0);
}

void session::say_goodbye() noexcept {
  if (!may_say_goodbye_) return;
  may_say_goodbye_ = false;
  ERR_clear_error();
  (void)SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

interest session::real(interest wanted) const noexcept {
  if (!read_wants_write_ && !write_wants_read_) [[likely]]
    return wanted;
  const auto bits = static_cast<unsigned>(wanted);
  const auto reads = static_cast<unsigned>(interest::read);
  const auto writes = static_cast<unsigned>(interest::write);
  unsigned real_bits = 0;
  if (bits & reads) real_bits |= read_wants_write_ ? writes : reads;
  if (bits & writes) real_bits |= write_wants_read_ ? reads : writes;
  return static_cast<interest>(real_bits);
}

readiness session::meant(readiness what) const noexcept {
  return {read_wants_write_ ? what.writable : what.readable,
          write_wants_read_ ? what.readable : what.writable, what.broken};
}

}  // namespace corbel::tls
