#include <doctest/doctest.h>
#include <corbel/corbel.hpp>

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include <corbel/crypto/hash.hpp>
#include <corbel/crypto/random.hpp>

namespace {

// region: sessions
struct principal {
  std::string name;
  bool admin = false;
};

// Who has which token. It keeps their hashes, so that whoever reads the table can sign in as nobody. Here it
// is a map; in earnest a table, which is why `find` may wait.
class session_store {
 public:
  std::string open(principal who) {
    auto token = corbel::crypto::random_token();
    const std::lock_guard lock(mutex_);
    all_.insert_or_assign(key_of(token), std::move(who));
    return token;
  }
  corbel::task<std::optional<principal>> find(std::string token) const {
    const std::lock_guard lock(mutex_);
    const auto found = all_.find(key_of(token));
    co_return found == all_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  static std::string key_of(std::string_view token) {
    return std::string(corbel::crypto::sha256(token).view());
  }
  mutable std::mutex mutex_;
  std::map<std::string, principal> all_;
};
// end: sessions

// region: layer
std::optional<std::string> bearer_token(const corbel::request& in) {
  const auto field = in.header("Authorization");
  if (!field || !field->starts_with("Bearer ")) return {};
  return std::string(field->substr(7));
}

// Looks up who asks, once, and leaves it for whoever wants to know. It refuses nobody: that is for the
// routes.
struct authentication {
  corbel::task<corbel::response> around(corbel::request& in, corbel::next rest) const {
    if (const auto token = bearer_token(in)) {
      const auto* sessions = in.services().find<session_store>();
      auto who = co_await sessions->find(*token);
      if (who) in.emplace<principal>(std::move(*who));
    }
    co_return co_await rest();
  }
};

// A parameter of this type is a route for admins.
struct administrator : principal {};
// end: layer

}  // namespace

// region: extractors
template <>
struct corbel::extractor<principal> {
  static corbel::result<principal> extract(const corbel::request& in) {
    if (const auto* who = in.find<principal>()) return *who;
    return corbel::unauthenticated("Sign in first: send Authorization: Bearer TOKEN.");
  }
};
template <>
struct corbel::extractor<administrator> {
  static corbel::result<administrator> extract(const corbel::request& in) {
    auto who = corbel::extractor<principal>::extract(in);
    if (!who) return std::move(who).error();
    if (!who->admin) return corbel::forbidden("Only administrators may do this.");
    return administrator{*std::move(who)};
  }
};
// end: extractors

namespace {

// region: handlers
std::string profile(principal who) {
  return "You are " + who.name + '.';
}
std::string audit(administrator who) {
  return who.name + " may look.";
}
// end: handlers

}  // namespace

TEST_CASE("the recipe of who may what does what it says") {
  session_store sessions;
  corbel::app_settings settings;
  settings.log = corbel::logger();
  corbel::app server(settings);
  // region: mount
  server.provide(sessions);
  auto api = server.group("/api");
  api.use(authentication{});
  api.get("/profile", &profile);
  api.get("/audit", &audit);
  // end: mount
  const auto ask = [&](const std::string& target, const std::string& token) {
    return server.inject(corbel::get(target).header("Authorization", "Bearer " + token));
  };
  const auto ada = sessions.open({"Ada", true});
  const auto bob = sessions.open({"Bob", false});
  CHECK(ask("/api/profile", bob).body() == "You are Bob.");
  CHECK(ask("/api/profile", "wrong").code() == 401);
  CHECK(server.inject(corbel::get("/api/profile")).code() == 401);
  CHECK(ask("/api/audit", bob).code() == 403);
  CHECK(ask("/api/audit", ada).body() == "Ada may look.");
}
