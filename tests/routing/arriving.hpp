#pragma once

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <functional>
#include <optional>
#include <string>

#include "corbel/base/error.hpp"
#include "corbel/http/body_stream.hpp"
#include "corbel/http/context.hpp"
#include "corbel/routing/handler_of.hpp"
#include "http/request_access.hpp"

/// A body that arrives in pieces, each in memory of its own that is gone at the next call, as a server's is.
class arriving_body final : public corbel::body_source {
 public:
  /// `cut` says how long the next piece is, given what is left.
  arriving_body(std::string all, std::function<std::size_t(std::size_t)> cut)
      : all_(std::move(all)), cut_(std::move(cut)) {}
  /// After so many bytes reading throws, or never returns.
  std::size_t fails_after = ~std::size_t{0};
  std::size_t hangs_after = ~std::size_t{0};

  corbel::task<std::string_view> read() override {
    if (at_ >= hangs_after) {
      auto never = [](auto handler) {
        auto slot = boost::asio::get_associated_cancellation_slot(handler);
        auto kept = std::make_shared<decltype(handler)>(std::move(handler));
        slot.assign([kept](boost::asio::cancellation_type) {
          std::move (*kept)(boost::system::error_code(boost::asio::error::operation_aborted));
        });
      };
      co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>,
                                           void(boost::system::error_code)>(never,
                                                                            boost::asio::use_awaitable);
    }
    co_await boost::asio::post(boost::asio::use_awaitable);
    if (at_ >= fails_after) throw corbel::failure(corbel::malformed("The client is gone.", "client_gone"));
    const auto left = std::min({all_.size(), fails_after, hangs_after}) - at_;
    const auto size = left == 0 ? 0 : std::clamp<std::size_t>(cut_(left), 1, left);
    piece_ = std::make_unique<std::string>(all_, at_, size);
    at_ += size;
    co_return *piece_;
  }

 private:
  std::string all_;
  std::function<std::size_t(std::size_t)> cut_;
  std::size_t at_ = 0;
  std::unique_ptr<std::string> piece_;
};

/// One request with such a body, given to one handler.
struct arriving_request {
  explicit arriving_request(corbel::body_source& body, std::string content_type,
                            const corbel::app_context& context = plain())
      : type(std::move(content_type)) {
    corbel::request_access access(in);
    access.clear();
    access.context(context);
    access.start_line("POST", "/", 11);
    access.add_header("Content-Type", type);
    access.arriving(&body);
  }
  static const corbel::app_context& plain() {
    static const corbel::app_context none;
    return none;
  }
  /// What the endpoint threw, if it did.
  std::optional<corbel::error> serve(const corbel::endpoint& end) {
    boost::asio::io_context loop;
    std::optional<corbel::error> thrown;
    boost::asio::co_spawn(loop, end.serve_waiting(in, out), [&](std::exception_ptr failed) {
      try {
        if (failed) std::rethrow_exception(failed);
      } catch (const corbel::failure& f) {
        thrown = f.error();
      }
    });
    loop.run();
    return thrown;
  }

  std::string type;
  corbel::request in;
  corbel::response out;
};
