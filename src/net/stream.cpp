#include "net/stream.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>

#include "net/failures.hpp"

namespace corbel::net {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t most_unread = 16 * 1024;  // one TLS record

std::string text_of(const tcp::endpoint& e) {
  const auto host = e.address().to_string();
  return (e.address().is_v6() ? '[' + host + ']' : host) + ':' + std::to_string(e.port());
}

}  // namespace

time_point due_in(std::chrono::milliseconds from_now, time_point total) {
  if (from_now <= from_now.zero()) return total;
  return std::min(total, std::chrono::steady_clock::now() + from_now);
}

stream::stream(asio::any_io_executor executor) : socket_(executor), timer_(executor) {}

void stream::deadline(time_point due, const char* phase) {
  due_ = due;
  phase_ = phase;
  // A later deadline costs an assignment: the timer looks again when it fires at the old time.
  if (due_ < watched_) watch();
}

void stream::watch() {
  watched_ = due_;
  timer_.expires_at(due_);
  timer_.async_wait([self = weak_from_this()](const error_code& failed) {
    const auto here = self.lock();
    if (failed || !here || here->watched_ == time_point::max()) return;
    if (here->due_ > std::chrono::steady_clock::now()) {
      here->watched_ = time_point::max();
      if (here->due_ != time_point::max()) here->watch();
      return;
    }
    here->watched_ = time_point::max();
    here->expired_ = true;
    here->close();
  });
}

error stream::failed(const error_code& why, const char* what, const char* code) const {
  const std::string cause = peer + ": " + what;
  if (expired_) return timed_out(phase_, cause + " took too long");
  // Nobody else closes a socket that is in use.
  if (why == asio::error::operation_aborted) throw boost::system::system_error(why);
  return unreachable(code, cause + ": " + why.message());
}

task<result<void>> stream::connect(tcp::endpoint to) {
  peer = text_of(to);
  expired_ = false;
  error_code bad;
  socket_.close(bad);
  socket_.open(to.protocol(), bad);
  if (bad) co_return failed(bad, "socket", "connect_failed");
  co_await socket_.async_connect(to, asio::redirect_error(asio::use_awaitable, bad));
  if (bad || expired_) co_return failed(bad, "connect", "connect_failed");
  socket_.set_option(tcp::no_delay(true), bad);
  connected_at = std::chrono::steady_clock::now();
  co_return result<void>();
}

task<result<void>> stream::handshake(std::shared_ptr<asio::ssl::context> context, std::string host,
                                     bool host_is_address, bool verify) {
  context_ = std::move(context);
  tls_ = std::make_unique<asio::ssl::stream<tcp::socket&>>(socket_, *context_);
  SSL* const ssl = tls_->native_handle();
  bool ready = true;
  if (!host_is_address) ready = SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
  if (verify) {
    auto* const rules = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    ready = ready && (host_is_address ? X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str())
                                      : X509_VERIFY_PARAM_set1_host(rules, host.data(), host.size())) == 1;
  }
  if (!ready) co_return unreachable("tls_failed", peer + ": the host name cannot be given to TLS");
  error_code bad;
  co_await tls_->async_handshake(asio::ssl::stream_base::client,
                                 asio::redirect_error(asio::use_awaitable, bad));
  if (!bad && !expired_) co_return result<void>();
  auto why = failed(bad, "TLS handshake", "tls_failed");
  if (const long verdict = SSL_get_verify_result(ssl); verdict != X509_V_OK && !expired_)
    co_return std::move(why).because(peer + ": the certificate for " + host +
                                     " is not accepted: " + X509_verify_cert_error_string(verdict));
  co_return why;
}

task<result<void>> stream::write(std::string_view bytes, bool* sent) {
  while (!bytes.empty()) {
    error_code bad;
    std::size_t n = 0;
    const auto piece = asio::buffer(bytes.data(), bytes.size());
    if (tls_)
      n = co_await tls_->async_write_some(piece, asio::redirect_error(asio::use_awaitable, bad));
    else
      n = co_await socket_.async_write_some(piece, asio::redirect_error(asio::use_awaitable, bad));
    // TLS reports nothing of what the socket took before it failed.
    if (sent && (n > 0 || tls_)) *sent = true;
    if (bad || expired_) {
      refused_bytes = !expired_;
      co_return failed(bad, "send", "connection_lost");
    }
    bytes.remove_prefix(n);
  }
  co_return result<void>();
}

task<result<bool>> stream::read_more() {
  // What is unread moves to the front; the buffer grows only while a head does not fit.
  const std::size_t kept = unread.size();
  if (kept != 0) buffer_.erase(0, static_cast<std::size_t>(unread.data() - buffer_.data()));
  if (buffer_.size() < kept + most_unread) buffer_.resize(kept + most_unread);
  unread = {buffer_.data(), kept};
  error_code bad;
  std::size_t n = 0;
  const auto room = asio::buffer(buffer_.data() + kept, most_unread);
  if (tls_)
    n = co_await tls_->async_read_some(room, asio::redirect_error(asio::use_awaitable, bad));
  else
    n = co_await socket_.async_read_some(room, asio::redirect_error(asio::use_awaitable, bad));
  unread = {buffer_.data(), kept + n};
  if (expired_) co_return failed(bad, "receive", "connection_lost");
  if (bad == asio::error::eof) co_return false;
  if (bad) co_return failed(bad, "receive", "connection_lost");
  co_return true;
}

bool stream::quiet() {
  // Under TLS too: what waits there after a whole response is almost always the peer's farewell.
  char byte;
  const auto n = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

void stream::close() noexcept {
  error_code ignored;
  socket_.close(ignored);
}

void stream::release_buffer() {
  if (!unread.empty()) return;
  buffer_.clear();
  buffer_.shrink_to_fit();
}

}  // namespace corbel::net
