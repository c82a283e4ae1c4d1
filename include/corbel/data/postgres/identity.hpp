#pragma once

#include <string>
#include <utility>
#include <vector>

namespace corbel::postgres {

/// Whom the database takes us for, for the length of one transaction: its row-level security policies ask.
///
/// ```
/// const auto mine = pg.as(postgres::identity("app_user").claims(R"({"sub":"42"})").set("app.tenant", "7"));
/// ```
class identity {
 public:
  identity() = default;
  /// `role` is one that our own may `SET ROLE` to; without one, the role of the connection stays.
  explicit identity(std::string role) { set("role", std::move(role)); }

  /// A setting, such as "app.tenant", for policies to read: `current_setting('app.tenant', true)`.
  identity& set(std::string name, std::string value) & {
    settings_.emplace_back(std::move(name), std::move(value));
    return *this;
  }
  identity&& set(std::string name, std::string value) && {
    return std::move(set(std::move(name), std::move(value)));
  }
  /// The claims of a token as JSON, where Supabase and PostgREST have them: `request.jwt.claims`.
  identity& claims(std::string json) & { return set("request.jwt.claims", std::move(json)); }
  identity&& claims(std::string json) && { return std::move(claims(std::move(json))); }

  const std::vector<std::pair<std::string, std::string>>& settings() const noexcept { return settings_; }

 private:
  std::vector<std::pair<std::string, std::string>> settings_;
};

}  // namespace corbel::postgres
