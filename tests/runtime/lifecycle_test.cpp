#include "corbel/runtime/lifecycle.hpp"

#include <doctest/doctest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <stdexcept>
#include <string>

using corbel::lifecycle;
using corbel::task;

namespace {

struct history {
  std::string text;
  std::string fails;
};

task<> note(history* h, std::string what) {
  h->text += what + ' ';
  if (what == h->fails) throw std::runtime_error("no " + what);
  co_return;
}

void fill(lifecycle& all, history& h) {
  for (const std::string name : {"a", "b", "c"})
    all.add(
        name, [&h, name] { return note(&h, '+' + name); }, [&h, name] { return note(&h, '-' + name); });
}

/// What `work` threw; empty when it did not.
std::string run(task<> work) {
  boost::asio::io_context context;
  std::string thrown;
  boost::asio::co_spawn(context, std::move(work), [&](std::exception_ptr e) {
    try {
      if (e) std::rethrow_exception(e);
    } catch (const std::exception& failed) {
      thrown = failed.what();
    }
  });
  context.run();
  return thrown;
}

task<> stop(lifecycle* all, std::vector<std::string>* failed) {
  *failed = co_await all->stop();
}

}  // namespace

TEST_CASE("components start in order and stop in reverse; each failure stops what was started") {
  const std::string order[] = {"+a", "+b", "+c"};
  for (std::size_t i = 0; i <= 3; ++i) {
    history h;
    if (i < 3) h.fails = order[i];
    lifecycle all;
    fill(all, h);
    const auto thrown = run(all.start());
    std::string expected;
    for (std::size_t k = 0; k <= i && k < 3; ++k) expected += order[k] + ' ';
    if (i < 3) {
      CHECK(thrown == std::string(1, order[i][1]) + ": no " + order[i]);
      for (std::size_t k = i; k-- > 0;) expected += '-' + order[k].substr(1) + ' ';
    } else {
      CHECK(thrown.empty());
    }
    CHECK(h.text == expected);
    h.text.clear();
    std::vector<std::string> failed;
    CHECK(run(stop(&all, &failed)).empty());
    CHECK(h.text == (i < 3 ? "" : "-c -b -a "));
    CHECK(failed.empty());
  }
}

TEST_CASE("one that does not stop keeps no other from stopping") {
  history h;
  h.fails = "-b";
  lifecycle all;
  fill(all, h);
  all.add("empty", {}, {});
  CHECK(run(all.start()).empty());
  std::vector<std::string> failed;
  CHECK(run(stop(&all, &failed)).empty());
  CHECK(h.text == "+a +b +c -c -b -a ");
  CHECK(failed == std::vector<std::string>{"b: no -b"});
}

TEST_CASE("what was stopped can be started again") {
  history h;
  lifecycle all;
  fill(all, h);
  std::vector<std::string> failed;
  for (int i = 0; i < 2; ++i) {
    h.text.clear();
    CHECK(run(all.start()).empty());
    CHECK(run(all.start()).empty());
    CHECK(run(stop(&all, &failed)).empty());
    CHECK(h.text == "+a +b +c -c -b -a ");
  }
}
