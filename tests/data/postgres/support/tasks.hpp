#pragma once

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <string>

#include "corbel/data/database.hpp"
#include "corbel/data/postgres/database.hpp"
#include "corbel/data/postgres/postgres.hpp"
#include "corbel/testing/postgres.hpp"
#include "corbel/testing/run.hpp"
#include "data/expect.hpp"

namespace data = corbel::data;
namespace postgres = corbel::postgres;
using corbel::error_kind;
using corbel::task;
using corbel::testing::run;
using corbel::testing::temporary_postgres;
using namespace std::chrono_literals;

inline task<void> pause(std::chrono::milliseconds span) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, span);
  co_await timer.async_wait(boost::asio::use_awaitable);
}

/// `url` with a further option.
inline std::string with_option(const std::string& url, const std::string& option) {
  return url + (url.find('?') == std::string::npos ? "?" : "&") + option;
}

/// A value of one row of one column that is not NULL.
template <class T, class... Args>
T one(const data::source& from, data::sql_text<sizeof...(Args)> sql, const Args&... args) {
  const auto got = run(from.query_one<T>(sql, args...));
  REQUIRE(got.has_value());
  return *got;
}
