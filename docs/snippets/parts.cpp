#include <doctest/doctest.h>
#include <corbel/corbel.hpp>

#include <atomic>
#include <memory>
#include <string>

#include <corbel/crypto/hash.hpp>

namespace {

struct invitation {
  std::string email;
};
constexpr auto describe(corbel::tag<invitation>) {
  using namespace corbel::rules;
  return object(field("email", &invitation::email, text().email()));
}

// region: part
// One object serves every event loop, so what changes in it is atomic, or behind a mutex.
class mailer {
 public:
  corbel::task<> connect() {
    connected_ = true;
    co_return;
  }
  corbel::task<> close() {
    connected_ = false;
    co_return;
  }
  corbel::task<bool> answers() { co_return connected_.load(); }

  // The caller's logger: its lines have the id of the request that this is done for.
  corbel::task<> send(std::string to, corbel::logger log) {
    log.info("mail sent", {{"to", to}});
    co_return;
  }

 private:
  std::atomic<bool> connected_{false};
};

corbel::task<> invite(corbel::body<invitation> who, corbel::state<mailer> mails, corbel::logger log) {
  co_await mails->send(who->email, log);
}
// end: part

// region: blocking
struct credentials {
  std::string name;
  std::string password;
};
constexpr auto describe(corbel::tag<credentials>) {
  using namespace corbel::rules;
  return object(field("name", &credentials::name), field("password", &credentials::password, text().min(12)));
}

// Takes long on purpose, as the hash of a password must: nothing for an event loop.
std::string slow_hash(std::string password) {
  for (int round = 0; round < 10'000; ++round) password = corbel::crypto::sha256(password).view();
  return password;
}

corbel::task<std::string> enlist(corbel::body<credentials> in, corbel::state<corbel::blocking_pool> pool) {
  const auto hash = co_await pool->run(&slow_hash, in->password);
  co_return in->name + " has a hash of " + std::to_string(hash.size()) + " bytes";
}
// end: blocking

// region: any-origin
// Innermost wins: what this has set, security_headers leaves as it is.
struct for_every_origin {
  void after(const corbel::request&, corbel::response& out) const {
    out.set("Cross-Origin-Resource-Policy", "cross-origin");
  }
};
// end: any-origin

}  // namespace

TEST_CASE("the page of parts does what it says") {
  const auto lines = std::make_shared<corbel::captured_log>();
  corbel::app_settings settings;
  settings.log = corbel::logger(lines);
  settings.version = "1.0.0";
  // region: wiring
  mailer mails;                       // before the app, so that it lives longer
  corbel::blocking_pool pool(2, 64);  // two threads, at most 64 pieces of work that wait for one
  corbel::app server(settings);
  server.provide(mails).provide(pool);
  server.component(
      "mailer", [&mails] { return mails.connect(); }, [&mails] { return mails.close(); });
  server.post("/invitations", &invite).summary("Invite somebody");
  server.post("/members", &enlist);
  // end: wiring
  // region: health
  server.health().add(
      "mailer", [&mails] { return mails.answers(); }, corbel::failure_status::degraded);
  // end: health
  const auto invited = server.inject(
      corbel::post("/invitations").json(R"({"email":"ada@example.org"})").header("X-Request-Id", "r-1"));
  CHECK(invited.code() == 204);
  CHECK(lines->contains(R"("msg":"mail sent","requestId":"r-1","to":"ada@example.org")"));
  CHECK(server.inject(corbel::post("/members").json(R"({"name":"Ada","password":"correct horse"})")).body() ==
        "Ada has a hash of 32 bytes");
  CHECK(server.inject(corbel::get("/health")).body() ==
        R"({"status":"healthy","mailer":"connected","version":"1.0.0"})");
}

TEST_CASE("an app without what is on by default has what it asks for") {
  // region: middleware
  corbel::app_settings settings;
  settings.default_middleware = false;
  corbel::app server(settings);

  corbel::security_header_values values;
  values.cross_origin_resource_policy = "cross-origin";  // a service of images that any page may show
  server.use(corbel::security_headers(values));          // outermost: on whatever the others make
  server.use(corbel::request_id{}).use(corbel::access_log{});
  // end: middleware
  server.get("/", [] {
    corbel::response page;
    page.body("<p>", "text/html");
    return page;
  });
  CHECK(server.inject(corbel::get("/")).header("Cross-Origin-Resource-Policy") == "cross-origin");
}

TEST_CASE("images of one group may be shown by pages of other origins") {
  corbel::app_settings settings;
  settings.log = corbel::logger();
  corbel::app server(settings);
  // region: images
  auto images = server.group("/images");
  images.use(for_every_origin{});
  // end: images
  const auto picture = [] {
    corbel::response out;
    out.body("<svg/>", "image/svg+xml");
    return out;
  };
  images.get("/a", picture);
  server.get("/b", picture);
  CHECK(server.inject(corbel::get("/images/a")).header("Cross-Origin-Resource-Policy") == "cross-origin");
  CHECK(server.inject(corbel::get("/b")).header("Cross-Origin-Resource-Policy") == "same-origin");
}
