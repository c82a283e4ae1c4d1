#include <doctest/doctest.h>
#include <corbel/corbel.hpp>
#include <corbel/http/range.hpp>

#include <optional>
#include <string>
#include <vector>

namespace {

// region: cookies
corbel::decorated<corbel::no_content> choose_theme(corbel::path<std::string, "theme"> theme) {
  using namespace std::chrono_literals;
  return corbel::with().cookie(corbel::new_cookie("theme", *theme).max_age(24h * 365).script_readable());
}

std::string show_theme(corbel::cookie<std::optional<std::string>, "theme"> theme) {
  return theme->value_or("light");
}
// end: cookies

// region: guarded
struct visitor {
  int id = 0;
  std::string role;
};
constexpr auto describe(corbel::tag<visitor>) {
  using namespace corbel::rules;
  return object(field("id", &visitor::id), field("role", &visitor::role));
}

corbel::decorated<visitor> enter(corbel::state<corbel::cookie_keys> keys, const corbel::request& in) {
  using namespace std::chrono_literals;
  const visitor who{7, "editor"};
  return corbel::with(who)
      .cookie(keys->seal("__Host-visitor", who, in.now() + 12h))  // nobody can read it
      .cookie(keys->sign("campaign", "spring"));                  // nobody can change it
}

std::string greet(corbel::sealed_cookie<std::optional<visitor>, "__Host-visitor"> who,
                  corbel::signed_cookie<std::optional<std::string>, "campaign"> campaign) {
  if (!*who) return "Who are you?";
  return "Hello, " + (*who)->role + ", here by " + campaign->value_or("yourself");
}
// end: guarded

// region: form
struct signup {
  std::string name;
  std::optional<int> age;
  std::vector<std::string> interests;  // <input name="interest"> several times
  bool news = false;                   // <input type="checkbox" name="news">
};
constexpr auto describe(corbel::tag<signup>) {
  using namespace corbel::rules;
  return object(field("name", &signup::name, text().trim().min(2)),
                field("age", &signup::age, number().min(18)),
                field("interest", &signup::interests, list_of(text().min(1)).max(10).defaulted()),
                field("news", &signup::news, defaulted()));
}

std::string sign_up(corbel::form<signup> in) {
  return in->name + (in->news ? " wants news" : " wants peace");
}
// end: form

// region: negotiation
struct report {
  std::string title;
  int total = 0;
};
constexpr auto describe(corbel::tag<report>) {
  using namespace corbel::rules;
  return object(field("title", &report::title), field("total", &report::total));
}

corbel::offer show_report() {
  const report found{"Sales", 42};
  return corbel::offer().json(found).as("text/csv", [found] {  // made only when it is chosen
    return "title,total\r\n" + found.title + ',' + std::to_string(found.total) + "\r\n";
  });
}

corbel::decorated<std::string> welcome(const corbel::request& in) {
  const bool german = corbel::preferred_language(in, {"en", "de"}) == "de";
  return corbel::with(std::string(german ? "Willkommen" : "Welcome")).vary("Accept-Language");
}
// end: negotiation

// region: conditional
struct document {
  std::string text;
  std::int64_t version = 1;
};
constexpr auto describe(corbel::tag<document>) {
  using namespace corbel::rules;
  return object(field("text", &document::text), field("version", &document::version, defaulted()));
}

corbel::tagged<document> read_document(corbel::state<document> stored) {
  return corbel::with_etag(*stored, stored->version);  // 304 when If-None-Match names this version
}

corbel::result<corbel::tagged<document>> write_document(corbel::body<document> in, corbel::preconditions when,
                                                        corbel::state<document> stored) {
  // 428 without If-Match; 412 when somebody else was faster.
  if (auto ok = when.require(corbel::entity_tag::of_version(stored->version)); !ok)
    return std::move(ok).error();
  stored->text = in->text;
  ++stored->version;
  return corbel::with_etag(*stored, stored->version);
}
// end: conditional

// region: range
// What the request wants of a content that is at hand, such as a recording in memory.
corbel::response part_of(const corbel::request& in, const std::string& content,
                         const corbel::validators& current) {
  corbel::response out = corbel::text_response(content);
  out.set("Accept-Ranges", "bytes");
  if (corbel::apply_preconditions(in, current, out) != corbel::precondition::proceed) return out;
  const auto choice = corbel::choose_ranges(in, content.size(), current);
  if (choice.what == corbel::range_choice::kind::unsatisfiable) {
    corbel::refuse_range(in, content.size(), out);
  } else if (choice.ranges.size() == 1) {
    const auto& part = choice.ranges.front();
    out.status(corbel::status::partial_content);
    out.set("Content-Range", corbel::content_range(part, content.size()));
    out.body_buffer() = content.substr(part.first, part.length());
  }
  return out;
}
// end: range

}  // namespace

TEST_CASE("the page of HTTP features does what it says") {
  document stored{"draft"};
  corbel::app server;
  // region: keys
  // In earnest they come from the settings, each made by `openssl rand -base64 32`.
  corbel::cookie_keys keys{"the newest secret, which signs and seals",
                           "an older one, which still opens things"};
  server.provide(keys);
  // end: keys
  server.provide(stored);
  server.post("/theme/:theme", &choose_theme);
  server.get("/theme", &show_theme);
  server.post("/enter", &enter);
  server.get("/greet", &greet);
  server.post("/signup", &sign_up);
  server.get("/report", &show_report);
  server.get("/welcome", &welcome);
  server.get("/document", &read_document);
  server.put("/document", &write_document);
  server.get("/part", [](const corbel::request& in) {
    return part_of(in, "0123456789", {corbel::entity_tag::strong("x"), {}, true});
  });

  const auto themed = server.inject(corbel::post("/theme/dark%20red"));
  CHECK(themed.header("Set-Cookie") == "theme=dark%20red; Max-Age=31536000; Path=/; Secure; SameSite=Lax");
  CHECK(server.inject(corbel::get("/theme").header("Cookie", "theme=dark%20red")).body() == "dark red");

  const auto entered = server.inject(corbel::post("/enter"));
  std::string cookies;
  for (std::size_t at = 0; (at = entered.header_text().find("Set-Cookie: ", at)) != std::string::npos; ++at) {
    const auto from = at + 12;
    cookies.append(entered.header_text().substr(from, entered.header_text().find(';', from) - from))
        .append("; ");
  }
  CHECK(server.inject(corbel::get("/greet").header("Cookie", cookies)).body() ==
        "Hello, editor, here by spring");
  CHECK(server.inject(corbel::get("/greet")).body() == "Who are you?");

  const auto form = [&](const char* text) {
    return server.inject(corbel::post("/signup").body(text, "application/x-www-form-urlencoded"));
  };
  CHECK(form("name=Ada&age=&news=on").body() == "Ada wants news");
  CHECK(form("name=A&age=7").code() == 400);

  CHECK(server.inject(corbel::get("/report").header("Accept", "text/csv")).body() ==
        "title,total\r\nSales,42\r\n");
  CHECK(server.inject(corbel::get("/report").header("Accept", "image/png")).code() == 406);
  CHECK(server.inject(corbel::get("/welcome").header("Accept-Language", "de-AT")).body() == "Willkommen");

  CHECK(server.inject(corbel::get("/document").header("If-None-Match", "\"v1\"")).code() == 304);
  CHECK(server.inject(corbel::put("/document").json(R"({"text":"x"})")).code() == 428);
  CHECK(server.inject(corbel::put("/document").json(R"({"text":"x"})").header("If-Match", "\"v1\"")).code() ==
        200);
  CHECK(server.inject(corbel::put("/document").json(R"({"text":"y"})").header("If-Match", "\"v1\"")).code() ==
        412);

  CHECK(server.inject(corbel::get("/part").header("Range", "bytes=-3")).body() == "789");
  CHECK(server.inject(corbel::get("/part").header("Range", "bytes=10-")).header("Content-Range") ==
        "bytes */10");
}
