#include "corbel/testing/run.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace corbel::testing::detail {

void run_to_end(task<void> work) {
  boost::asio::io_context loop;
  std::exception_ptr thrown;
  boost::asio::co_spawn(loop, std::move(work), [&](std::exception_ptr e) {
    thrown = e;
    loop.stop();
  });
  loop.run();
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace corbel::testing::detail
