#include <doctest/doctest.h>
#include <corbel/corbel.hpp>

#include <boost/asio/io_context.hpp>
#include <optional>
#include <string>
#include <vector>

namespace {

// region: parameters
struct search {
  std::optional<std::string> text;
  std::vector<std::string> tag;  // ?tag=a&tag=b
  int limit = 20;
};
constexpr auto describe(corbel::tag<search>) {
  using namespace corbel::rules;
  return object(field("text", &search::text, text().max(100)), field("tag", &search::tag, defaulted()),
                field("limit", &search::limit, number().between(1, 100).defaulted()));
}

struct note {
  std::string text;
};
constexpr auto describe(corbel::tag<note>) {
  using namespace corbel::rules;
  return object(field("text", &note::text, text().trim().min(1)));
}

struct note_store {
  std::vector<note> all;
};

// Each parameter says where it comes from; whatever is wrong with any of them is reported together.
note add_note(corbel::path<int, "shelf"> shelf, corbel::body<note> in, corbel::state<note_store> notes,
              corbel::header<std::optional<std::string>, "X-Author"> author) {
  note made{*in};
  made.text += ", shelf " + std::to_string(*shelf) + ", by " + author->value_or("anonymous");
  notes->all.push_back(made);
  return made;
}

std::vector<note> find_notes(corbel::query<search> wanted, corbel::state<note_store> notes) {
  std::vector<note> found;
  for (const auto& each : notes->all)
    if (found.size() < static_cast<std::size_t>(wanted->limit) &&
        each.text.find(wanted->text.value_or("")) != std::string::npos)
      found.push_back(each);
  return found;
}
// end: parameters

// region: extractor
struct principal {
  std::string name;
};

}  // namespace

// A parameter of your own: every handler may take a `principal` now.
template <>
struct corbel::extractor<principal> {
  static constexpr bool guards = true;  // decides before the body is received
  static corbel::result<principal> extract(const corbel::request& in) {
    const auto name = in.header("X-User");
    if (!name) return corbel::unauthenticated("Say who you are in X-User.");
    return principal{std::string(*name)};
  }
};

namespace {

std::string who_am_i(principal who) {
  return who.name;
}
// end: extractor

// region: replies
corbel::no_content forget() {
  return {};
}  // 204
corbel::response teapot() {
  return corbel::text_response("I hold tea.");
}  // whatever you build
corbel::json_reply<note> accept() {
  return corbel::json_with(corbel::status::accepted, note{"soon"});
}
corbel::result<note> maybe(corbel::path<int, "n"> n) {  // a value, or an error as a value
  if (*n > 3) return corbel::not_found("There are three notes.");
  return note{"note " + std::to_string(*n)};
}
corbel::error refuse() {
  return corbel::unprocessable("The shelf is full.", "shelf_full");
}
// end: replies

// region: middleware
// Hooks that do not wait: the cost of two function calls.
struct server_timing {
  void after(const corbel::request& in, corbel::response& out) const {
    out.set("Server-Timing", "total;dur=" + std::to_string(in.elapsed().count() / 1'000'000));
  }
};

struct maintenance {
  bool on = false;
  corbel::flow before(corbel::request&, corbel::response& out) const {
    if (!on) return corbel::flow::proceed;
    out = corbel::text_response("Back in a minute.", corbel::status::service_unavailable);
    return corbel::flow::stop;
  }
};

// The around form, for what waits.
corbel::task<corbel::response> mark(corbel::request&, corbel::next rest) {
  auto out = co_await rest();
  out.set("X-Marked", "yes");
  co_return out;
}
// end: middleware

void mount(corbel::app& server, note_store& notes) {
  server.provide(notes);
  // region: routes
  auto shelves = server.group("/shelves/:shelf");
  shelves.use(maintenance{}).use(server_timing{});  // for every route of the group
  shelves.post("/notes", &add_note).body_limit(4096).summary("Put a note on a shelf");
  server.get("/notes", &find_notes);
  server.get("/files/*path", [](corbel::path<std::string, "path"> path) { return *path; });
  server.get("/marked", &forget).use(&mark).time_limit(std::chrono::seconds(2));
  // end: routes
  server.get("/me", &who_am_i);
  server.get("/forget", &forget);
  server.get("/teapot", &teapot);
  server.get("/accept", &accept);
  server.get("/maybe/:n", &maybe);
  server.get("/refuse", &refuse);
}

}  // namespace

TEST_CASE("the HTTP page's handlers do what the page says") {
  note_store notes;
  corbel::app server;
  mount(server, notes);
  const auto get = [&](std::string target) { return server.inject(corbel::get(std::move(target))); };

  CHECK(server.inject(corbel::post("/shelves/2/notes").json(R"({"text":" milk "})")).body() ==
        R"({"text":"milk, shelf 2, by anonymous"})");
  const auto bad = server.inject(corbel::post("/shelves/x/notes").json(R"({"text":" "})"));
  CHECK(bad.code() == 400);
  CHECK(bad.body().find(R"("path":"/shelf")") != std::string::npos);
  CHECK(bad.body().find(R"("path":"/text")") != std::string::npos);
  CHECK(get("/notes?text=milk&tag=a&tag=b").body() == R"([{"text":"milk, shelf 2, by anonymous"}])");
  CHECK(get("/notes?limit=1000").code() == 400);
  CHECK(get("/files/a/b%20c").body() == "a/b c");
  CHECK(get("/marked").header("X-Marked") == "yes");
  CHECK(get("/me").code() == 401);
  CHECK(server.inject(corbel::get("/me").header("X-User", "Ada")).body() == "Ada");
  CHECK(get("/forget").code() == 204);
  CHECK(get("/teapot").code() == 200);
  CHECK(get("/accept").code() == 202);
  CHECK(get("/maybe/2").code() == 200);
  CHECK(get("/maybe/4").code() == 404);
  CHECK(get("/refuse").code() == 422);
}

TEST_CASE("an app runs on the host program's context") {
  // region: embedding
  boost::asio::io_context yours;
  corbel::app_settings settings;
  settings.server.port = 0;  // the system chooses
  corbel::app server(std::move(settings));
  server.get("/", [] { return std::string("embedded"); });

  server.start(yours, [&](std::exception_ptr failed) {
    if (failed) std::rethrow_exception(failed);
    // It listens on server.port() now. Later, from the same context:
    server.stop([] {});
  });
  yours.run();
  // end: embedding
  CHECK(server.port() == 0);
}
