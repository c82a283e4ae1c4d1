#include <doctest/doctest.h>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "corbel/middleware/limits.hpp"
#include "routing/bare.hpp"

using namespace corbel;

namespace {

/// What happened, in order; and the step that shall fail.
struct trail {
  std::vector<std::string> steps;
  std::string fails;
  std::string stops;

  void step(const std::string& name) {
    steps.push_back(name);
    if (name == fails) throw std::runtime_error("failing " + name);
  }
  std::string text() const {
    std::string all;
    for (const auto& each : steps) all += each + ' ';
    return all;
  }
};

struct sync_layer {
  trail* seen;
  std::string name;
  flow before(request&, response& out) const {
    seen->step("+" + name);
    if (seen->stops == name) {
      out = text_response("stopped by " + name, status::accepted);
      return flow::stop;
    }
    return flow::proceed;
  }
  void after(const request&, response& out) const {
    seen->step("-" + name);
    out.add("X-Seen", name);
  }
};

struct around_layer {
  trail* seen;
  std::string name;
  task<response> around(request&, next rest) const {
    seen->step("(" + name);
    if (seen->stops == name) co_return text_response("stopped by " + name, status::accepted);
    auto out = co_await rest();
    seen->step(")" + name);
    out.add("X-Seen", name);
    co_return out;
  }
};

enum class kind { sync, waiting };

void wire_up(app& a, trail& seen, kind handler, bool with_around) {
  a.use(sync_layer{&seen, "a"}).use(sync_layer{&seen, "b"});
  if (with_around) a.use(around_layer{&seen, "c"}).use(sync_layer{&seen, "d"}).use(around_layer{&seen, "e"});
  a.use(sync_layer{&seen, "f"});
  if (handler == kind::sync)
    a.get("/", [&seen](const request&) {
      seen.step("!");
      return std::string("done");
    });
  else
    a.get(
        "/", +[](state<trail> trail_of) -> task<std::string> {
          co_await boost::asio::post(boost::asio::use_awaitable);
          trail_of->step("!");
          co_return "done";
        });
  a.provide(seen);
}

std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> all;
  for (std::size_t from = 0, end; (end = text.find(' ', from)) != text.npos; from = end + 1)
    all.push_back(text.substr(from, end - from));
  return all;
}

char closing(char opening) {
  return opening == '+' ? '-' : ')';
}

}  // namespace

TEST_CASE(
    "the layers are passed in order and left in reverse; whatever fails is answered, and the layers before "
    "it see it") {
  for (const bool with_around : {false, true})
    for (const auto handler : {kind::sync, kind::waiting}) {
      // The happy way, stated once.
      const auto happy =
          words(with_around ? "+a +b (c +d (e +f ! -f )e -d )c -b -a " : "+a +b +f ! -f -b -a ");
      trail seen;
      const auto log = std::make_shared<captured_log>();
      app a(bare(log));
      wire_up(a, seen, handler, with_around);
      auto out = a.inject(get("/"));
      CHECK(out.body() == "done");
      CHECK(words(seen.text()) == happy);

      // Each step fails in turn.
      for (std::size_t i = 0; i < happy.size(); ++i) {
        CAPTURE(happy[i]);
        seen = {};
        seen.fails = happy[i];
        log->clear();
        out = a.inject(get("/"));
        CHECK(out.code() == 500);
        CHECK(out.body().find("\"code\":\"internal_error\"") != std::string::npos);
        CHECK(out.body().find("failing") == std::string::npos);
        CHECK(log->contains("failing " + happy[i]));
        // All before it happened; behind it, every layer that was passed is left.
        std::vector<std::string> expected(happy.begin(), happy.begin() + static_cast<std::ptrdiff_t>(i) + 1);
        std::vector<std::string> open;
        for (const auto& step : expected) {
          if (step == happy[i]) {
            if (step[0] == '+') open.push_back(step);  // what a layer makes passes its own `after`
            break;
          }
          if (step[0] == '+' || step[0] == '(') open.push_back(step);
          if (step[0] == '-' || step[0] == ')') open.pop_back();
        }
        if (happy[i][0] == '-' || happy[i][0] == ')') open.pop_back();
        for (auto at = open.rbegin(); at != open.rend(); ++at)
          expected.push_back(closing((*at)[0]) + at->substr(1));
        CHECK(seen.steps == expected);
      }

      // Each layer stops in turn.
      for (const auto& layer : with_around ? std::vector<std::string>{"a", "b", "c", "d", "e", "f"}
                                           : std::vector<std::string>{"a", "b", "f"}) {
        CAPTURE(layer);
        seen = {};
        seen.stops = layer;
        out = a.inject(get("/"));
        CHECK(out.code() == 202);
        CHECK(out.body() == "stopped by " + layer);
        std::vector<std::string> expected, open;
        for (const auto& step : happy) {
          expected.push_back(step);
          if (step.substr(1) == layer && step[0] == '(') break;
          open.push_back(step);
          if (step.substr(1) == layer) break;
        }
        for (auto at = open.rbegin(); at != open.rend(); ++at)
          expected.push_back(closing((*at)[0]) + at->substr(1));
        CHECK(seen.steps == expected);
      }
    }
}

TEST_CASE("layers of groups surround their routes alone; those of the root surround every answer") {
  trail seen;
  app a(bare());
  a.use(sync_layer{&seen, "root"});
  auto outer = a.group("/outer").use(sync_layer{&seen, "outer"});
  auto inner = outer.group("/inner").use(sync_layer{&seen, "inner"});
  inner.get("/x", [] {}).use(sync_layer{&seen, "route"});
  outer.get("/y", [] {});
  outer.use(sync_layer{&seen, "late"});
  a.get("/z", [] {});
  const auto steps = [&](const std::string& path, const std::string& method = "GET") {
    seen = {};
    (void)a.inject({method, path});
    return seen.text();
  };
  CHECK(steps("/outer/inner/x") == "+root +outer +late +inner +route -route -inner -late -outer -root ");
  CHECK(steps("/outer/y") == "+root +outer +late -late -outer -root ");
  CHECK(steps("/z") == "+root -root ");
  CHECK(steps("/missing") == "+root -root ");
  CHECK(steps("/outer/missing") == "+root -root ");
  CHECK(steps("/z", "DELETE") == "+root -root ");
  CHECK(steps("/z", "OPTIONS") == "+root -root ");
  CHECK(steps("bad target") == "+root -root ");
}

TEST_CASE("a refusal is seen by the layers that do not wait, and by the others not at all") {
  trail seen;
  app a(bare());
  a.use(sync_layer{&seen, "a"}).use(around_layer{&seen, "b"}).use(sync_layer{&seen, "c"});
  a.post("/", [] {}).body_limit(3);
  auto out = a.inject(post("/").body("four", "text/plain"));
  CHECK(out.code() == 413);
  CHECK(seen.text() == "+a +c -c -a ");
  CHECK(out.body().find("payload_too_large") != std::string::npos);
  for (const std::string fails : {"+a", "+c", "-c", "-a"}) {
    CAPTURE(fails);
    seen = {};
    seen.fails = fails;
    out = a.inject(post("/").body("four", "text/plain"));
    CHECK(out.code() == (fails[0] == '+' ? 413 : 500));  // the refusal stands, however it was prepared
    CHECK(seen.text().ends_with("-c -a "));
  }
  seen = {};
  seen.stops = "a";  // what a layer wants to answer does not stand against the refusal
  CHECK(a.inject(post("/").body("four", "text/plain")).code() == 413);
}

TEST_CASE("a missing path goes through a layer that waits") {
  trail seen;
  app a(bare());
  a.use(around_layer{&seen, "w"});
  CHECK(a.inject(get("/missing")).code() == 404);
  CHECK(seen.text() == "(w )w ");
}

TEST_CASE("the innermost limit decides") {
  app a(bare());
  const auto size = [](const request& in) { return std::to_string(in.body().size()); };
  a.use(body_limit{5});
  auto g = a.group("/g").use(body_limit{10});
  a.post("/five", size);
  g.post("/ten", size);
  g.post("/two", size).body_limit(2);
  g.post("/three", size).use(body_limit{2}).use(body_limit{3});
  const auto code = [&](const std::string& path, std::size_t n) {
    return a.inject(post(path).body(std::string(n, 'x'), "text/plain")).code();
  };
  CHECK(code("/five", 5) == 200);
  CHECK(code("/five", 6) == 413);
  CHECK(code("/g/ten", 10) == 200);
  CHECK(code("/g/ten", 11) == 413);
  CHECK(code("/g/two", 2) == 200);
  CHECK(code("/g/two", 3) == 413);
  CHECK(code("/g/three", 3) == 200);
  CHECK(code("/g/three", 4) == 413);
}

TEST_CASE("an exception of any type is answered once, in every kind of handler") {
  app a(bare());
  a.get("/int", []() -> std::string { throw 7; });
  a.get("/failure", []() -> std::string { throw failure(conflict("taken", "name_taken")); });
  a.get("/value", []() -> std::string { return result<std::string>(not_found("gone")).value(); });
  a.get("/task", []() -> task<std::string> {
    throw failure(unprocessable("no", "rule"));
    co_return "";
  });
  a.get("/half", [](request&) -> response { throw std::runtime_error("late"); });
  CHECK(a.inject(get("/int")).code() == 500);
  CHECK(a.inject(get("/failure")).code() == 409);
  CHECK(a.inject(get("/value")).code() == 404);
  CHECK(a.inject(get("/task")).code() == 422);
  CHECK(a.inject(get("/half")).code() == 500);
}

TEST_CASE("a layer may be a function, and leave values for the handler") {
  app a(bare());
  a.use([](request& in, next rest) -> task<response> {
    in.emplace(std::string("left"));
    auto out = co_await rest();
    out.set("X-Function", "yes");
    co_return out;
  });
  a.get("/", [](const request& in) { return *in.find<std::string>(); });
  const auto out = a.inject(get("/"));
  CHECK(out.body() == "left");
  CHECK(out.header("X-Function") == "yes");
}

namespace {

struct sets_fields {
  flow before(request&, response& out) const {
    out.set("X-Before", "hook").set("Content-Language", "de").add("Set-Cookie", "a=hook");
    return flow::proceed;
  }
};
struct passes_on {
  task<response> around(request&, next rest) const { co_return co_await rest(); }
};

}  // namespace

TEST_CASE("what a before hook has set stays, whatever the handler answers, unless it sets the same field") {
  const auto answer = [](const request&) {
    auto out = text_response("whole");
    out.set("Content-Language", "en").add("Set-Cookie", "b=handler");
    return out;
  };
  for (const bool with_around : {false, true}) {
    app a(bare());
    a.use(sets_fields{});
    if (with_around) a.use(passes_on{});
    a.get("/whole", answer);
    a.get("/text", [] { return std::string("text"); });
    a.get("/error", [] { return not_found("Nothing here."); });
    a.get("/throws", []() -> std::string { throw std::runtime_error("a bug"); });
    a.get(
        "/waits", +[]() -> task<response> { co_return text_response("waited"); });
    const auto out = a.inject(get("/whole"));
    CHECK(out.body() == "whole");
    CHECK(out.header("X-Before") == "hook");
    CHECK(out.header("Content-Language") == "en");
    CHECK(out.header_text().find("de\r\n") == std::string::npos);
    CHECK(out.header_text().find("Set-Cookie: a=hook\r\n") != std::string::npos);
    CHECK(out.header_text().find("Set-Cookie: b=handler\r\n") != std::string::npos);
    for (const auto* path : {"/text", "/error", "/throws", "/waits"}) {
      CAPTURE(path);
      const auto other = a.inject(get(path));
      CHECK(other.header("X-Before") == "hook");
      CHECK(other.header("Content-Language") == "de");
      CHECK(other.header("Content-Type"));
    }
    CHECK(a.inject(get("/error")).code() == 404);
    CHECK(a.inject(get("/throws")).code() == 500);
    CHECK(a.inject(get("/missing")).header("X-Before") == "hook");
  }
}
