#include "corbel/runtime/event_loop.hpp"

#include <doctest/doctest.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/require.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/system_executor.hpp>
#include <boost/asio/thread_pool.hpp>
#include <stdexcept>
#include <string>

using corbel::event_loop;
using corbel::loop_of;
namespace asio = boost::asio;

TEST_CASE("the loop of a coroutine is its context's, whatever its executor promises besides") {
  event_loop loop;
  const auto plain = loop.context().get_executor();
  CHECK(&loop_of(plain) == &loop);
  CHECK(&loop_of(asio::require(plain, asio::execution::blocking.never)) == &loop);
  const asio::any_io_executor any(plain);
  CHECK(&loop_of(asio::prefer(any, asio::execution::outstanding_work.tracked)) == &loop);
  CHECK(&loop_of(asio::require(any, asio::execution::blocking.never)) == &loop);
  CHECK(&loop_of(asio::make_strand(loop.context())) == &loop);
  CHECK(&loop_of(asio::make_strand(any)) == &loop);
}

TEST_CASE("a context without a loop gets one of its own, the same for all who ask") {
  asio::io_context context;
  auto& made = loop_of(context.get_executor());
  CHECK(made.is_guest());
  CHECK(&made.context() == &context);
  CHECK(&loop_of(asio::make_strand(context)) == &made);
  context.run();  // returns: the loop keeps nothing under way
}

TEST_CASE("an executor that is no io_context's is refused in words that say what to do") {
  asio::thread_pool pool(1);
  const auto refused = [](const asio::any_io_executor& executor) {
    try {
      (void)loop_of(executor);
    } catch (const std::logic_error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  for (const asio::any_io_executor& executor :
       {asio::any_io_executor(pool.get_executor()), asio::any_io_executor(asio::make_strand(pool)),
        asio::any_io_executor(asio::system_executor()), asio::any_io_executor()}) {
    const auto said = refused(executor);
    CHECK(said.find("does not run on a boost::asio::io_context") != std::string::npos);
    CHECK(said.find("start it by co_spawn on an io_context") != std::string::npos);
  }
  pool.join();
}
