#include "corbel/testing/postgres.hpp"

#include <cstdlib>

#include "corbel/base/uuid.hpp"
#include "corbel/data/postgres/postgres.hpp"
#include "corbel/testing/run.hpp"

namespace corbel::testing {
namespace {

/// The same server with another database; what stands behind "?" stays.
std::string with_database(const std::string& url, const std::string& name) {
  const auto host = url.find("://") + 3;
  const auto slash = url.find('/', host);
  const auto question = url.find('?', host);
  return url.substr(0, std::min(slash, question)) + "/" + name +
         (question == std::string::npos ? "" : url.substr(question));
}

std::string fresh_name() {
  auto name = "corbel_" + to_text(uuid::v7());
  std::erase(name, '-');
  return name;
}

/// Makes the database and gives its URL.
std::string create(const std::string& name) {
  const auto server = temporary_postgres::server();
  if (server.empty())
    throw failure(
        internal_error("CORBEL_TEST_POSTGRES_URL names no server to test with: set it, or run scripts/test, "
                       "which starts one"));
  const auto admin = postgres::open(server);
  run(admin.execute(data::trusted("create database " + name)));
  return with_database(server, name);
}

std::string with_options(const std::string& url, const std::string& options) {
  if (options.empty()) return url;
  return url + (url.find('?') == std::string::npos ? "?" : "&") + options;
}

}  // namespace

std::string temporary_postgres::server() {
  const char* url = std::getenv("CORBEL_TEST_POSTGRES_URL");
  return url ? url : "";
}

temporary_postgres::temporary_postgres(const std::string& url_options)
    : name_(fresh_name()), url_(create(name_)), database_(postgres::open(with_options(url_, url_options))) {}

temporary_postgres::~temporary_postgres() {
  database_.stop();
  try {
    const auto admin = postgres::open(server());
    run(admin.execute(data::trusted("drop database if exists " + name_ + " with (force)")));
  } catch (...) {
    // The server may be gone already, and everything with it.
  }
}

}  // namespace corbel::testing
