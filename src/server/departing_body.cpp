#include "server/departing_body.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <stdexcept>

#include "server/connection.hpp"
#include "server/exchange.hpp"

namespace corbel {

namespace {

/// So many bytes wait for a client before the producer has to.
constexpr std::size_t enough = 64 * 1024;
/// So many are written before the loop's other work gets its turn, however fast the client reads.
constexpr std::size_t turn = 256 * 1024;

}  // namespace

task<> departing_body::write(std::string_view bytes) {
  if (!home_.owner) throw failure(client_gone());
  if (bytes.empty()) co_return;  // an empty chunk would end the body
  if (how_ == framing::counted) {
    if (bytes.size() > left_)
      throw std::length_error(
          "a streamed body is longer than its announced length; announce what is written");
    left_ -= bytes.size();
  }
  if (how_ == framing::chunked) {
    char size[20];
    const auto end = std::to_chars(size, size + 16, bytes.size(), 16).ptr;
    end[0] = '\r';
    end[1] = '\n';
    home_.owner->send_piece({size, static_cast<std::size_t>(end + 2 - size)}, bytes, "\r\n");
  } else {
    home_.owner->send_piece({}, bytes, {});
  }
  while (home_.owner && home_.owner->backlog() > enough) {
    at_a_stretch_ = 0;
    co_await room_.wait();
  }
  at_a_stretch_ += bytes.size();
  if (at_a_stretch_ >= turn) {
    at_a_stretch_ = 0;
    co_await boost::asio::post(boost::asio::use_awaitable);
  }
  if (!home_.owner) throw failure(client_gone());
}

task<> departing_body::flush() {
  if (home_.owner) home_.owner->push();
  co_return;
}

}  // namespace corbel
