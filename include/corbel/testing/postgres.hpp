#pragma once

#include <string>

#include <corbel/data/database.hpp>

namespace corbel::testing {

/// An empty Postgres database of its own on the server that CORBEL_TEST_POSTGRES_URL names, dropped when this
/// is destroyed. Event loops that used it may live longer, their coroutines may not.
class temporary_postgres {
 public:
  /// `url_options` such as "connections=2&checkout_timeout=100ms". Throws `failure` when the variable is not
  /// set, or the server does not let us.
  explicit temporary_postgres(const std::string& url_options = "");
  ~temporary_postgres();
  temporary_postgres(const temporary_postgres&) = delete;
  temporary_postgres& operator=(const temporary_postgres&) = delete;

  const data::database& operator*() const noexcept { return database_; }
  const data::database* operator->() const noexcept { return &database_; }
  /// For further connections, such as another process's; without `url_options`.
  const std::string& url() const noexcept { return url_; }

  /// The server's URL; empty when there is none to test with.
  static std::string server();

 private:
  std::string name_;
  std::string url_;
  data::database database_;
};

}  // namespace corbel::testing
