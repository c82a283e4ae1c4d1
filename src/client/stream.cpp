#include "client/dial.hpp"
#include "client/exchange.hpp"
#include "client/failures.hpp"

namespace corbel {

client_stream::client_stream(std::unique_ptr<impl> i) : impl_(std::move(i)) {}
client_stream::client_stream(client_stream&&) noexcept = default;
client_stream& client_stream::operator=(client_stream&&) noexcept = default;
client_stream::~client_stream() = default;

const client_response& client_stream::head() const noexcept {
  return impl_->head;
}

task<result<std::string_view>> client_stream::read() {
  return impl_->read();
}

void client_stream::impl::finish() {
  if (!line) return;
  if (keep_alive && body.done() && !broken_)
    line.keep();
  else
    line.end();
}

error client_stream::impl::fail(error why) {
  broken_ = why;
  line.end();
  return why;
}

/// The next piece as it came, its content coding not undone.
task<result<std::string_view>> client_stream::impl::read_coded() {
  for (;;) {
    if (body.done() || !line) {
      finish();
      co_return std::string_view();
    }
    auto& c = *line.get();
    std::optional<error> why;
    const auto piece = body.next(c.unread, why);
    if (why) co_return fail(std::move(*why).because(c.peer + ": a body that is not framed as it should be"));
    if (!piece.empty()) co_return piece;
    if (body.done()) continue;
    c.deadline(outgoing::due_in(idle, total), "body");
    auto more = co_await c.read_more();
    c.deadline(total, "total");
    if (!more) co_return fail(std::move(more).error());
    if (*more) continue;
    if (!body.may_end())
      co_return fail(outgoing::lost(c.peer + ": it closed the connection inside the body"));
    line.end();
  }
}

task<result<std::string_view>> client_stream::impl::read() {
  if (broken_) co_return *broken_;
  if (!std::exchange(faked_read_, true) && !faked.empty()) co_return std::string_view(faked);
  std::string_view piece;
  for (;;) {
    if (!unzip) {
      auto coded = co_await read_coded();
      if (!coded) co_return coded;
      piece = *coded;
      break;
    }
    std::optional<error> why;
    piece = unzip->next(coded_, why);
    if (why) co_return fail(std::move(*why));
    if (!piece.empty()) break;
    auto coded = co_await read_coded();
    if (!coded) co_return coded;
    coded_ = *coded;
    if (!coded_.empty()) continue;
    if (!unzip->may_end()) co_return fail(outgoing::malformed_response("gzip data that ends too early"));
    break;
  }
  if (piece.size() > left)
    co_return fail(outgoing::too_large("a body of more bytes than client_limits::body allows"));
  left -= piece.size();
  co_return piece;
}

}  // namespace corbel
