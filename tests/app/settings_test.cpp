#include "corbel/app/settings.hpp"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <map>

#include "corbel/server/settings.hpp"

using namespace std::chrono_literals;
using corbel::settings::source;

namespace {

enum class mode { development, production };
constexpr auto describe(corbel::tag<mode>) {
  using namespace corbel::rules;
  return enumeration(value("development", mode::development), value("production", mode::production));
}

struct server_settings {
  std::uint16_t port = 8080;
  std::chrono::milliseconds header_timeout = 10s;
  corbel::byte_size most_body{1 << 20};
};
constexpr auto describe(corbel::tag<server_settings>) {
  using namespace corbel::rules;
  using s = server_settings;
  return object(field("port", &s::port, number().min(1).defaulted()),
                field("headerTimeout", &s::header_timeout, defaulted()),
                field("mostBody", &s::most_body, defaulted()));
}

struct mail_settings {
  std::string host;
  std::string sender;
};
constexpr auto describe(corbel::tag<mail_settings>) {
  using namespace corbel::rules;
  using s = mail_settings;
  return object(field("host", &s::host), field("sender", &s::sender, text().email()));
}

struct app_settings {
  std::string database_url;
  std::string jwt_secret;
  mode run_mode = mode::development;
  server_settings server;
  std::optional<mail_settings> mail;
  std::vector<std::string> origins;
  std::vector<int> shards = {1};
  std::optional<double> ratio;
  std::map<std::string, int> quotas = {};
  int least = 1;
  int most = 10;
};
constexpr auto describe(corbel::tag<app_settings>) {
  using namespace corbel::rules;
  using s = app_settings;
  return object(field("databaseUrl", &s::database_url), field("jwtSecret", &s::jwt_secret, text().min(32)),
                field("runMode", &s::run_mode, defaulted()), field("server", &s::server),
                field("mail", &s::mail),
                field("origins", &s::origins, list_of(text().url()).max(3).defaulted()),
                field("shards", &s::shards, list_of(number().max(9)).unique().defaulted()),
                field("ratio", &s::ratio, number().between(0, 1)),
                field("quotas", &s::quotas, list_of(number().max(5)).defaulted()),
                field("least", &s::least, defaulted()), field("most", &s::most, defaulted()))
      .refine([](const s& all) { return all.least <= all.most; }, "must be at least LEAST", "/most");
}

struct key_settings {
  std::vector<std::byte> signing_key;
  std::vector<std::byte> salt;
};
constexpr auto describe(corbel::tag<key_settings>) {
  using namespace corbel::rules;
  return object(field("signingKey", &key_settings::signing_key), field("salt", &key_settings::salt));
}

source minimal() {
  return std::move(source().add("DATABASE_URL", "sqlite:a.db").add("JWT_SECRET", std::string(32, 'k')));
}

/// The one message of an error that has one.
std::string only_message(const source& from) {
  const auto read = corbel::settings::read<app_settings>(from);
  REQUIRE_FALSE(read);
  REQUIRE(read.error().violations().size() == 1);
  CHECK(read.error().violations()[0].in == "env");
  return read.error().violations()[0].message;
}

}  // namespace

TEST_CASE("wire names become variables") {
  using corbel::settings::variable_name;
  CHECK(variable_name("", "databaseUrl") == "DATABASE_URL");
  CHECK(variable_name("APP", "port") == "APP_PORT");
  CHECK(variable_name("", "httpURLPrefix") == "HTTP_URL_PREFIX");
  CHECK(variable_name("", "s3Bucket") == "S3_BUCKET");
  CHECK(variable_name("", "x-rate.limit") == "X_RATE_LIMIT");
  CHECK(variable_name("", "database_url") == "DATABASE_URL");
}

TEST_CASE("what is not set keeps its default") {
  const auto read = corbel::settings::read<app_settings>(minimal());
  REQUIRE(read);
  CHECK(read->database_url == "sqlite:a.db");
  CHECK(read->run_mode == mode::development);
  CHECK(read->server.port == 8080);
  CHECK(read->server.header_timeout == 10s);
  CHECK_FALSE(read->mail);
  CHECK(read->shards == std::vector{1});
  CHECK_FALSE(read->ratio);
}

TEST_CASE("every kind of member is read") {
  auto from = minimal();
  from.add("RUN_MODE", "production").add("SERVER_PORT", "80").add("SERVER_HEADER_TIMEOUT", "250ms");
  from.add("SERVER_MOST_BODY", "64KiB").add("MAIL_HOST", "mail").add("MAIL_SENDER", "ada@example.org");
  from.add("ORIGINS", "https://a.example , https://b.example").add("SHARDS", "[3, 4]").add("RATIO", "0.5");
  from.add("QUOTAS", R"({"ada": 3})");
  const auto read = corbel::settings::read<app_settings>(from);
  REQUIRE(read);
  CHECK(read->run_mode == mode::production);
  CHECK(read->server.port == 80);
  CHECK(read->server.header_timeout == 250ms);
  CHECK(read->server.most_body.bytes == 65536);
  REQUIRE(read->mail);
  CHECK(read->mail->host == "mail");
  CHECK(read->origins == std::vector<std::string>{"https://a.example", "https://b.example"});
  CHECK(read->shards == std::vector{3, 4});
  CHECK(read->ratio == 0.5);
  CHECK(read->quotas.at("ada") == 3);
}

TEST_CASE("bytes are base64") {
  const auto read =
      corbel::settings::read<key_settings>(source().add("SIGNING_KEY", "AP8=").add("SALT", "AA=="));
  REQUIRE(read);
  CHECK(read->signing_key == std::vector{std::byte{0}, std::byte{255}});
  const auto wrong = corbel::settings::read<key_settings>(source().add("SALT", "AA"));
  REQUIRE_FALSE(wrong);
  const auto& told = wrong.error().violations();
  REQUIRE(told.size() == 2);
  CHECK(told[0].message.find("SIGNING_KEY=\"$(openssl rand -base64 32)\"") != std::string::npos);
  CHECK(told[1].message.starts_with("SALT must be bytes as base64"));
}

TEST_CASE("a prefix stands before every name, and an empty variable is not set") {
  source from;
  from.add("X_DATABASE_URL", "a")
      .add("X_JWT_SECRET", std::string(32, 'k'))
      .add("X_SERVER_PORT", "1")
      .add("X_RATIO", "");
  const auto read = corbel::settings::read<app_settings>(from, "X");
  REQUIRE(read);
  CHECK(read->server.port == 1);
  CHECK_FALSE(read->ratio);
}

TEST_CASE("every problem is told at once, each with an example, and no value is repeated") {
  source from;
  from.add("JWT_SECRET", "s3cret-value").add("SERVER_PORT", "s3cret-value", ".env, line 3");
  from.add("RUN_MODE", "s3cret-value").add("MAIL_SENDER", "s3cret-value").add("SHARDS", "1,x,1");
  from.add("RATIO", "1.5").add("QUOTAS", "s3cret-value").add("SERVER_HEADER_TIMEOUT", "s3cret-value");
  from.add(corbel::settings::parse_env_file("s3cret-value\n", ".env"));
  const auto read = corbel::settings::read<app_settings>(from);
  REQUIRE_FALSE(read);
  const auto text = corbel::settings::explain(read.error());
  CAPTURE(text);
  CHECK(text.starts_with("This service cannot start: 11 settings need attention.\n"));
  CHECK(text.find("s3cret-value") == std::string::npos);
  for (const char* line :
       {"  DATABASE_URL is missing: a text, for example DATABASE_URL=sqlite:app.db.\n",
        "  JWT_SECRET must be at least 32 characters long (set in the program), for example",
        "  RUN_MODE must be one of development, production (set in the program), for example "
        "RUN_MODE=development.\n",
        "  SERVER_PORT must be an integer from 0 to 65535 (set in .env, line 3), for example "
        "SERVER_PORT=8080.\n",
        "for example SERVER_HEADER_TIMEOUT=10s.\n", "  MAIL_HOST is missing: ", "  MAIL_SENDER must be ",
        "  SHARDS at /1 must be an integer", "  RATIO must be ", "  QUOTAS must be JSON",
        "  .env, line 1: this is no assignment"}) {
    CAPTURE(line);
    CHECK(text.find(line) != std::string::npos);
  }
}

namespace {

struct order_settings {
  std::chrono::minutes ttl{};
  std::chrono::milliseconds wait{};
  corbel::byte_size largest{};
  std::string token_url;
  std::string monkey;
  std::string api_key;
  std::string pin_secret;
  std::string export_path;
  std::string signing_certificate;
  std::string public_key;
  std::string colour;
};
constexpr auto describe(corbel::tag<order_settings>) {
  using namespace corbel::rules;
  using s = order_settings;
  return object(field("ttl", &s::ttl), field("wait", &s::wait), field("largest", &s::largest),
                field("tokenUrl", &s::token_url), field("monkey", &s::monkey), field("apiKey", &s::api_key),
                field("pinSecret", &s::pin_secret, text().max(8)), field("exportPath", &s::export_path),
                field("signingCertificate", &s::signing_certificate),
                field("publicKey", &s::public_key, text().file()),
                field("colour", &s::colour, text().example("#ff8800")));
}

}  // namespace

TEST_CASE("a duration without its unit is told which there are") {
  source from;
  from.add("SHOP_ORDER_TTL", "15").add("SHOP_ORDER_WAIT", "30").add("SHOP_ORDER_LARGEST", "4096");
  const auto read = corbel::settings::read<order_settings>(from, "SHOP_ORDER");
  REQUIRE_FALSE(read);
  const auto text = corbel::settings::explain(read.error());
  CAPTURE(text);
  for (const char* line :
       {"SHOP_ORDER_TTL must be a duration with its unit such as 15min, 2h or 1d (set in the program), for "
        "example SHOP_ORDER_TTL=15min.",
        "SHOP_ORDER_WAIT must be a duration with its unit such as 15min, 30s or 250ms (set in the program), "
        "for "
        "example SHOP_ORDER_WAIT=15min.",
        "SHOP_ORDER_LARGEST must be a size with its unit such as 512KiB, 1MiB or 5MB (set in the program), "
        "for "
        "example SHOP_ORDER_LARGEST=512KiB."}) {
    CAPTURE(line);
    CHECK(text.find(line) != std::string::npos);
  }
}

TEST_CASE("an example is one of what the variable means, and keeps its rules") {
  const auto read = corbel::settings::read<order_settings>(source());
  REQUIRE_FALSE(read);
  const auto text = corbel::settings::explain(read.error());
  CAPTURE(text);
  for (const char* line :
       {"TTL is missing: a duration with its unit such as 15min, 2h or 1d, for example TTL=15min.",
        "TOKEN_URL=https://example.org/.", "MONKEY=text.", "API_KEY=\"$(openssl rand -hex 32)\".",
        "PIN_SECRET=\"$(openssl rand -hex 4)\".", "EXPORT_PATH=/path/to/it.",
        "SIGNING_CERTIFICATE=/etc/ssl/certs/example.org.pem.",
        "PUBLIC_KEY is missing: the path of a file, for example PUBLIC_KEY=/etc/ssl/private/example.org.key.",
        "COLOUR=#ff8800."}) {
    CAPTURE(line);
    CHECK(text.find(line) != std::string::npos);
  }
}

TEST_CASE("the library's own files are told as files") {
  const auto read =
      corbel::settings::read<corbel::server_settings>(source().add("TLS_CERTIFICATE", "/etc/a.pem"));
  REQUIRE_FALSE(read);
  CHECK(read.error().violations().at(0).message ==
        "TLS_KEY is missing: the path of a file, for example TLS_KEY=/etc/ssl/private/example.org.key.");
}

TEST_CASE("rules across members name the member they blame") {
  CHECK(only_message(minimal().add("LEAST", "5").add("MOST", "4")) == "MOST must be at least LEAST.");
}

TEST_CASE("rules of lists and of their elements hold") {
  CHECK(only_message(minimal().add("ORIGINS", "https://a.example,nowhere"))
            .starts_with("ORIGINS at /1 must be "));
  CHECK(only_message(minimal().add("SHARDS", "1,1")).starts_with("SHARDS "));
  CHECK(only_message(minimal().add("SHARDS", "[1,10]")).starts_with("SHARDS at /1 must be at most 9"));
  CHECK(only_message(minimal().add("QUOTAS", R"({"ada": 3, "bob": 6})"))
            .starts_with("QUOTAS at /bob must be at most 5"));
}

TEST_CASE("the environment wins over the file") {
  char folder[] = "/tmp/corbel-settings-XXXXXX";
  REQUIRE(::mkdtemp(folder));
  const auto file = std::string(folder) + "/.env";
  std::FILE* out = std::fopen(file.c_str(), "w");
  REQUIRE(out);
  std::fputs("CORBEL_TEST_A=file\nCORBEL_TEST_B=file\n", out);
  std::fclose(out);
  ::setenv("CORBEL_TEST_A", "environment", 1);
  const auto from = source::environment(file);
  ::unsetenv("CORBEL_TEST_A");
  ::unlink(file.c_str());
  ::rmdir(folder);
  REQUIRE(from.find("CORBEL_TEST_A"));
  CHECK(from.find("CORBEL_TEST_A")->value == "environment");
  CHECK(from.find("CORBEL_TEST_A")->origin == "the environment");
  REQUIRE(from.find("CORBEL_TEST_B"));
  CHECK(from.find("CORBEL_TEST_B")->origin == file + ", line 2");
}

TEST_CASE("from_environment ends the process with 78 and says why") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDERR_FILENO);
    ::clearenv();
    corbel::settings::from_environment<app_settings>({.prefix = "APP", .env_file = ""});
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string text(4096, '\0');
  std::size_t have = 0;
  for (ssize_t n = 0; (n = ::read(ends[0], text.data() + have, text.size() - have)) > 0;)
    have += static_cast<std::size_t>(n);
  text.resize(have);
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 78);
  CHECK(text.starts_with(
      "This service cannot start: 2 settings need attention.\n  APP_DATABASE_URL is missing"));
}
