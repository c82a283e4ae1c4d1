#include "corbel/client/client.hpp"

#include <algorithm>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/this_coro.hpp>
#include <charconv>

#include "client/dial.hpp"
#include "client/failures.hpp"
#include "client/redirect.hpp"

namespace corbel {
namespace {

namespace asio = boost::asio;
using outgoing::call;

/// A redirect's body of at most so many bytes is read, to use its connection again.
constexpr std::size_t worth_reading = 16 * 1024;

task<void> read_off(client_stream::impl& rest) {
  rest.left = std::min(rest.left, worth_reading);
  for (;;) {
    const auto piece = co_await rest.read();
    if (!piece || piece->empty()) break;
  }
}

result<call> prepare(std::shared_ptr<outgoing::core> owner, outbound request) {
  if (const auto* wrong = request.mistake()) return *wrong;
  if (request.method() == method::connect || request.method() == method::trace ||
      request.method() == method::other)
    return error{error_kind::internal, "invalid_request",
                 "CONNECT, TRACE and unknown methods cannot be called."};
  auto to = url::parse(request.url());
  if (!to) return std::move(to).error();
  for (const auto& [name, value] : request.query_pairs()) to->add_query(name, value);
  const auto& times = owner->settings.timeouts;
  const auto total = request.timeout().value_or(times.total);
  call made{std::move(owner), std::move(request), *std::move(to)};
  made.now = made.request.method();
  made.total = outgoing::due_in(total, outgoing::time_point::max());
  made.connect = made.request.connect_timeout().value_or(times.connect);
  made.handshake = times.handshake;
  made.first_byte = made.request.first_byte_timeout().value_or(times.first_byte);
  made.idle = made.request.idle_timeout().value_or(times.idle);
  made.body_limit = made.request.body_limit().value_or(made.owner->settings.limits.body.bytes);
  return made;
}

/// What needs no address to be refused: a port, and what a proxy would have to refuse for us.
result<void> admit(const call& what) {
  const auto& guard = what.owner->guard;
  if (guard.port_allowed(what.to.port())) return {};
  return outgoing::unreachable("address_refused",
                               "calls to port " + std::to_string(what.to.port()) +
                                   " are refused: client_settings::allow_ports does not list it");
}

std::unique_ptr<client_stream::impl> stream_of(client_response answer) {
  auto made = std::make_unique<client_stream::impl>();
  made->faked = std::move(answer).body();
  made->head = std::move(answer);
  made->head.body({});
  return made;
}

task<result<std::unique_ptr<client_stream::impl>>> run(std::shared_ptr<outgoing::core> owner,
                                                       outbound request) {
  if (owner->fake) {
    if (const auto* wrong = request.mistake()) co_return *wrong;
    auto answer = owner->fake(request);
    if (!answer) co_return std::move(answer).error();
    if (answer->url().empty()) answer->url(request.url());
    co_return stream_of(*std::move(answer));
  }
  if (owner->stopping) co_return outgoing::stopped();
  auto prepared = prepare(owner, std::move(request));
  if (!prepared) co_return std::move(prepared).error();
  call what = *std::move(prepared);
  const auto executor = co_await asio::this_coro::executor;
  const auto connections = outgoing::pool_on(loop_of(executor), owner);
  const std::size_t most = what.request.redirects().value_or(owner->settings.limits.redirects);
  for (std::size_t followed = 0;; ++followed) {
    if (auto admitted = admit(what); !admitted) co_return std::move(admitted).error();
    auto answer = co_await outgoing::exchange(connections, what);
    if (!answer || most == 0 || !outgoing::is_redirect((*answer)->head)) co_return answer;
    if (followed == most)
      co_return outgoing::bad_gateway("too_many_redirects", "Another service sent us on too often.",
                                      what.to.origin() + " redirects after " + std::to_string(most) +
                                          " redirects; see client_limits::redirects");
    if (auto followable = outgoing::follow((*answer)->head, what); !followable)
      co_return std::move(followable).error();
    co_await read_off(**answer);
  }
}

task<result<client_stream>> open_call(std::shared_ptr<outgoing::core> owner, outbound request) {
  auto opened = co_await run(std::move(owner), std::move(request));
  if (!opened) co_return std::move(opened).error();
  co_return client_stream(*std::move(opened));
}

task<result<client_response>> send_call(std::shared_ptr<outgoing::core> owner, outbound request) {
  auto opened = co_await run(std::move(owner), std::move(request));
  if (!opened) co_return std::move(opened).error();
  auto& stream = **opened;
  std::string body;
  // A length is a promise: believed up to a point.
  if (const auto promised = stream.head.header("Content-Length")) {
    std::size_t size = 0;
    std::from_chars(promised->data(), promised->data() + promised->size(), size);
    body.reserve(std::min<std::size_t>({size, stream.left, 1024 * 1024}));
  }
  for (;;) {
    auto piece = co_await stream.read();
    if (!piece) co_return std::move(piece).error();
    if (piece->empty()) break;
    body += *piece;
  }
  co_return std::move(stream.head.body(std::move(body)));
}

}  // namespace

struct client::impl : outgoing::core {
  using core::core;
};

client::client(std::shared_ptr<impl> i) : impl_(std::move(i)) {}

client::client(client_settings settings) : impl_(std::make_shared<impl>(std::move(settings))) {
  impl_->tls = outgoing::make_tls(impl_->settings.tls);
}

client client::fake(std::function<result<client_response>(const outbound&)> answer) {
  auto made = std::make_shared<impl>(client_settings());
  made->fake = std::move(answer);
  return client(std::move(made));
}

client::client(client&&) noexcept = default;

client& client::operator=(client&& other) noexcept {
  std::swap(impl_, other.impl_);
  return *this;
}

client::~client() {
  if (!impl_) return;
  impl_->stopping = true;
  outgoing::retire_pools(*impl_);
}

task<result<client_response>> client::send(outbound request) const {
  return send_call(impl_, std::move(request));
}

task<result<client_stream>> client::open(outbound request) const {
  return open_call(impl_, std::move(request));
}

task<> client::stop() {
  impl_->stopping = true;
  outgoing::retire_pools(*impl_);
  co_return;
}

}  // namespace corbel
