#include <doctest/doctest.h>
#include <corbel/corbel.hpp>

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include <corbel/crypto/hash.hpp>
#include <corbel/crypto/random.hpp>

namespace {

using corbel::request;
using corbel::result;
using corbel::task;

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

// region: token
result<std::string> bearer_token(const request& in) {
  const auto field = in.header("Authorization");
  if (field && field->starts_with("Bearer ")) return std::string(field->substr(7));
  return corbel::unauthenticated("Sign in first: send Authorization: Bearer TOKEN.")
      .header("WWW-Authenticate", "Bearer");
}

// A parameter of this type is a route for administrators.
struct administrator : principal {};
// end: token

}  // namespace

// region: extractors
template <>
struct corbel::extractor<principal> {
  static constexpr bool guards = true;  // decides before the body is received
  static task<result<principal>> extract(request& in) {
    const auto token = bearer_token(in);
    if (!token) co_return token.error();
    const auto* sessions = in.services().find<session_store>();
    auto who = co_await sessions->find(*token);
    if (!who) co_return corbel::unauthenticated("This token is unknown, or no longer valid. Sign in again.");
    co_return std::move(*who);
  }
};
template <>
struct corbel::extractor<administrator> {
  static constexpr bool guards = true;
  static task<result<administrator>> extract(request& in) {
    auto who = co_await corbel::extractor<principal>::extract(in);
    if (!who) co_return std::move(who).error();
    if (!who->admin) co_return corbel::forbidden("Only administrators may do this.");
    const administrator found{*who};
    co_return found;
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
  CHECK(server.inject(corbel::get("/api/profile")).header("WWW-Authenticate") == "Bearer");
  CHECK(server.inject(corbel::get("/api/profile")).code() == 401);
  CHECK(ask("/api/audit", bob).code() == 403);
  CHECK(ask("/api/audit", ada).body() == "Ada may look.");
}
