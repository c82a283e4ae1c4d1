#include "data/postgres/link.hpp"

#include <libpq-fe.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/postgres/connect_advice.hpp"
#include "data/postgres/errors.hpp"
#include "data/url_query.hpp"

namespace corbel::postgres {
namespace {

/// The options of a database URL that are not libpq's.
constexpr std::string_view url_options[] = {"connections",
                                            "pipeline",
                                            "most_waiting",
                                            "statement_cache",
                                            "most_result",
                                            "threads",
                                            "checkout_timeout",
                                            "statement_timeout",
                                            "idle_in_transaction_timeout",
                                            "max_lifetime",
                                            "slow_query",
                                            "replicas",
                                            "pooler"};

struct free_conninfo {
  void operator()(PQconninfoOption* all) const noexcept { PQconninfoFree(all); }
};

std::string trimmed(const char* text) {
  std::string all = text ? text : "";
  while (!all.empty() && (all.back() == '\n' || all.back() == ' ')) all.pop_back();
  std::replace(all.begin(), all.end(), '\n', ' ');
  std::erase(all, '\t');
  return all;
}

/// Settings of every session. As startup options, so that RESET ALL comes back to them.
std::string session_settings(const options& how, const char* wanted) {
  std::string all =
      "-c datestyle=ISO -c timezone=UTC -c intervalstyle=iso_8601 -c bytea_output=hex -c "
      "client_min_messages=warning";
  all += " -c statement_timeout=" + std::to_string(how.statement_timeout.count());
  all += " -c idle_in_transaction_session_timeout=" + std::to_string(how.idle_in_transaction_timeout.count());
  if (wanted && *wanted) all += std::string(" ") + wanted;
  return all;
}

/// libpq quotes the text that it stumbles over, which may be a part of the password: what it says is never
/// passed on, only taken as a hint.
std::string_view what_is_wrong(std::string_view said) {
  constexpr std::pair<std::string_view, std::string_view> known[] = {
      {"invalid percent-encoded", "a \"%\" in it is not followed by two hexadecimal digits"},
      {"forbidden value %00", "it holds a %00"},
      {"end of string reached", "an IPv6 address in it lacks its \"]\""},
      {"IPv6 host address", "an IPv6 address in it is empty"},
      {"unexpected character", "neither a port nor a path follows the \"]\" of an IPv6 address"},
      {"invalid URI query parameter", "it has an option that libpq does not know"},
      {"invalid connection option", "it has an option that libpq does not know"},
      {"missing", "an option in it lacks its \"=\""},
      {"extra key/value", "an option in it has a second \"=\""},
      {"unterminated quoted string", "a quote in it is not closed"},
  };
  for (const auto& [begins, means] : known)
    if (said.starts_with(begins)) return means;
  return "libpq does not understand it";
}

/// A misspelt option is not repeated either, since it may be a part of the password; the one that was meant
/// is told.
std::string option_meant(std::string_view said) {
  if (!said.starts_with("invalid URI query parameter") && !said.starts_with("invalid connection option"))
    return {};
  const auto open = said.find('"');
  const auto close = said.rfind('"');
  if (open == said.npos || close <= open) return {};
  std::vector<std::string_view> names(std::begin(url_options), std::end(url_options));
  const std::unique_ptr<PQconninfoOption, free_conninfo> libpq(PQconndefaults());
  for (const auto* one = libpq.get(); one && one->keyword; ++one) names.emplace_back(one->keyword);
  const auto meant = data::nearest_name(said.substr(open + 1, close - open - 1), names);
  return meant.empty() ? "" : "; \"" + std::string(meant) + "\" was meant, perhaps";
}

error bad_url(std::string_view why) {
  return {error_kind::invalid, "bad_database_url",
          "The database URL cannot be read: " + std::string(why) +
              ". Write postgres://user:password@host:5432/name, with options behind a \"?\"; in the user and "
              "the password, blanks and : / ? # [ ] @ % are percent-encoded (%40 is \"@\")."};
}

/// libpq would take for a host, a port or a database what was meant as a password, and name it in its errors.
void check_parts(std::string_view url) {
  const auto begin = url.find("://");
  if (!url.starts_with("postgres") || begin == url.npos) return;
  url = url.substr(begin + 3, url.find('?') - begin - 3);
  const auto slash = std::min(url.find('/'), url.size());
  auto hosts = url.substr(0, slash);
  const auto at = hosts.find('@');
  if (at != hosts.npos) hosts = hosts.substr(at + 1);
  if (hosts.find('@') != hosts.npos || url.find('@', slash) != url.npos)
    throw failure(bad_url("it has an \"@\" behind the one that stands before the host"));
  for (; !hosts.empty(); hosts.remove_prefix(std::min(hosts.find(','), hosts.size() - 1) + 1)) {
    auto port = hosts.substr(0, hosts.find(','));
    if (port.starts_with('[')) port.remove_prefix(std::min(port.find(']'), port.size()));
    port.remove_prefix(std::min(port.find(':'), port.size()));
    if (port.find_first_not_of("0123456789", 1) != port.npos)
      throw failure(bad_url("a port in it is no number"));
  }
}

std::unique_ptr<PQconninfoOption, free_conninfo> parse(const std::string& conninfo) {
  check_parts(conninfo);
  char* wrong = nullptr;
  std::unique_ptr<PQconninfoOption, free_conninfo> all(PQconninfoParse(conninfo.c_str(), &wrong));
  const std::string said = wrong ? wrong : "";
  if (wrong) PQfreemem(wrong);
  if (!all) throw failure(bad_url(std::string(what_is_wrong(said)) + option_meant(said)));
  return all;
}

const char* value_of(const PQconninfoOption* all, std::string_view keyword) {
  for (; all->keyword; ++all)
    if (keyword == all->keyword) return all->val;
  return nullptr;
}

}  // namespace

void check_conninfo(const std::string& conninfo) {
  (void)parse(conninfo);
}

namespace {

using parameters = std::vector<std::pair<std::string, std::string>>;

/// What goes with what the connection text gives; where that says something itself, it holds.
parameters settings_beside(const options& how, const PQconninfoOption* given) {
  parameters all;
  const auto suggest = [&](const char* key, std::string value) {
    if (!value_of(given, key)) all.emplace_back(key, std::move(value));
  };
  if (!how.place.empty()) {
    // An IPv6 address has colons of its own, and stands in brackets when a port follows.
    const auto colon = how.place.rfind(':');
    const bool has_port = colon != std::string::npos && how.place.find(']', colon) == std::string::npos &&
                          (how.place.find(':') == colon || how.place[colon - 1] == ']');
    auto host = how.place.substr(0, has_port ? colon : std::string::npos);
    if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
    all.emplace_back("host", std::move(host));
    if (has_port) all.emplace_back("port", how.place.substr(colon + 1));
    all.emplace_back("target_session_attrs", "any");
  }
  // GSS would encrypt between us and the socket.
  all.emplace_back("gssencmode", "disable");
  all.emplace_back("client_encoding", "UTF8");
  if (!how.transaction_pooler) all.emplace_back("options", session_settings(how, value_of(given, "options")));
  suggest("connect_timeout", std::to_string(std::max<long long>(2, how.connect_timeout.count() / 1000)));
  suggest("fallback_application_name", "corbel");
  // A peer that is gone without a word is noticed within half a minute, even while nothing is asked.
  suggest("keepalives_idle", "15");
  suggest("keepalives_interval", "5");
  suggest("keepalives_count", "3");
  suggest("tcp_user_timeout", "15000");
  return all;
}

/// Whether a place of its own, such as a replica's, stands for this keyword: a list of hosts with the port of
/// another fits together as little as the address of the one with the name of the other.
bool is_place(std::string_view keyword) {
  return keyword == "host" || keyword == "hostaddr" || keyword == "port";
}

parameters keywords_of(const options& how) {
  const auto given = parse(how.connection);
  auto all = settings_beside(how, given.get());
  for (const auto* one = given.get(); one->keyword; ++one) {
    const bool set =
        std::any_of(all.begin(), all.end(), [&](const auto& other) { return other.first == one->keyword; });
    if (one->val && !set && (how.place.empty() || !is_place(one->keyword)))
      all.emplace_back(one->keyword, one->val);
  }
  return all;
}

}  // namespace

std::string conninfo_of(const options& how) {
  const auto all = keywords_of(how);
  std::string text;
  for (const auto& [key, value] : all) {
    text += key + "='";
    for (const char c : value) {
      if (c == '\'' || c == '\\') text += '\\';
      text += c;
    }
    text += "' ";
  }
  return text;
}

pg_conn* connect_blocking(const options& how) {
  const auto all = keywords_of(how);
  std::vector<const char*> keys;
  std::vector<const char*> values;
  for (const auto& [key, value] : all) {
    keys.push_back(key.c_str());
    values.push_back(value.c_str());
  }
  keys.push_back(nullptr);
  values.push_back(nullptr);
  PGconn* made = PQconnectdbParams(keys.data(), values.data(), 0);
  if (made && PQstatus(made) == CONNECTION_OK) return made;
  const std::string why = made ? trimmed(PQerrorMessage(made)) : "out of memory";
  PQfinish(made);
  throw failure(connection_error("Postgres cannot be reached: " + why + "; " + connect_advice(why)));
}

canceller::canceller(pg_conn* of) : handle_(PQgetCancel(of)) {}
canceller::~canceller() {
  PQfreeCancel(handle_);
}
bool canceller::cancel() const {
  std::array<char, 256> why;
  return handle_ && PQcancel(handle_, why.data(), static_cast<int>(why.size())) == 1;
}

link::link(pg_conn* handle)
    : handle_(handle),
      tls_(static_cast<SSL*>(PQgetssl(handle))),
      descriptor_(PQsocket(handle)),
      stop_(std::make_shared<const canceller>(handle)) {
  // PQfinish says goodbye, and would wait for a server that takes no more bytes.
  PQsetnonblocking(handle, 1);
  // Else a long message counts as unsent while the server has read all but its end, with whatever stood
  // before it.
  if (tls_) SSL_set_mode(tls_, SSL_MODE_ENABLE_PARTIAL_WRITE);
}

link::link(int descriptor)
    : handle_(nullptr),
      tls_(nullptr),
      descriptor_(descriptor),
      stop_(std::make_shared<const canceller>(nullptr)) {}

link::~link() {
  if (handle_)
    PQfinish(handle_);
  else
    ::close(descriptor_);
}

std::unique_ptr<link> link::over(int descriptor) {
  return std::unique_ptr<link>(new link(descriptor));
}

std::unique_ptr<link> link::open(const options& how) {
  return std::unique_ptr<link>(new link(connect_blocking(how)));
}

int link::server_version() const noexcept {
  return PQserverVersion(handle_);
}

bool link::has_pending() const noexcept {
  return tls_ && SSL_pending(tls_) > 0;
}

namespace {

link::moved tls_moved(SSL* tls, int count) {
  if (count > 0) return {link::outcome::done, static_cast<std::size_t>(count)};
  const int why = SSL_get_error(tls, count);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return {link::outcome::would_block, 0};
  return {link::outcome::closed, 0};
}

link::moved plainly_moved(ssize_t count, bool zero_closes) {
  if (count > 0 || (count == 0 && !zero_closes))
    return {link::outcome::done, static_cast<std::size_t>(count)};
  if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
    return {link::outcome::would_block, 0};
  return {link::outcome::closed, 0};
}

int tls_size(std::size_t bytes) {
  return static_cast<int>(std::min<std::size_t>(bytes, std::numeric_limits<int>::max()));
}

}  // namespace

link::moved link::receive(char* into, std::size_t room) {
  if (!tls_) return plainly_moved(::recv(descriptor_, into, room, 0), true);
  ERR_clear_error();
  return tls_moved(tls_, SSL_read(tls_, into, tls_size(room)));
}

link::moved link::send(std::string_view bytes) {
  if (!tls_) return plainly_moved(::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL), false);
  ERR_clear_error();
  return tls_moved(tls_, SSL_write(tls_, bytes.data(), tls_size(bytes.size())));
}

}  // namespace corbel::postgres
