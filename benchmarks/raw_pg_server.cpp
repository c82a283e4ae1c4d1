// The limit that the database's ratios are taken against:
//   raw_pg_server --port N [--connections K] [--sync each]
//
// One thread, one level-triggered epoll set that holds the clients and K connections to Postgres, each in
// libpq's pipeline mode. What a turn of the loop asks for goes out behind one Sync and one flush a
// connection. It is a reference and no server: it takes each request to come alone and in one piece, knows
// three paths, checks nothing, keeps no deadline, and ends when Postgres does. A statement that failed would
// take with it whatever shares its Sync, so a server that answers for each of its statements sends one Sync
// for each. `--sync each` does that here, too, and tells what it costs Postgres, which writes to its socket
// at every Sync. (So does libpq 15, so its own CPU is no limit then.)
#include <libpq-fe.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace {

using namespace std::string_view_literals;

constexpr std::size_t input_size = 16 * 1024;
constexpr int batch_size = 512;
constexpr int most_rows = 500;

enum class question : std::uint8_t { world, worlds, fortunes };

/// A request that waits for its rows. The generation tells a client from the next one with its descriptor.
struct request {
  int client = -1;
  std::uint32_t generation = 0;
  int missing = 0;
  question what = question::world;
  std::string body;
};

/// The numbers need not be good, only cheap and spread: the same for every server that is compared.
class random_ids {
 public:
  int next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 17;
    state_ ^= state_ << 5;
    return static_cast<int>(state_ % 10'000) + 1;
  }

 private:
  std::uint32_t state_ = 2463534242;
};

void append_text(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

void append_world(std::string& out, const PGresult* row) {
  out.append(R"({"id":)").append(PQgetvalue(row, 0, 0));
  out.append(R"(,"randomNumber":)").append(PQgetvalue(row, 0, 1)).append("}");
}

void append_fortunes(std::string& out, const PGresult* rows) {
  std::array<int, most_rows> order;
  const int count = std::min(PQntuples(rows), most_rows);
  for (int i = 0; i < count; ++i) order[static_cast<std::size_t>(i)] = i;
  std::sort(order.begin(), order.begin() + count,
            [&](int a, int b) { return std::strcmp(PQgetvalue(rows, a, 1), PQgetvalue(rows, b, 1)) < 0; });
  for (int i = 0; i < count; ++i) {
    const int row = order[static_cast<std::size_t>(i)];
    if (i) out += ',';
    out.append(R"({"id":)").append(PQgetvalue(rows, row, 0)).append(R"(,"message":)");
    append_text(out, PQgetvalue(rows, row, 1));
    out += '}';
  }
}

/// One connection to Postgres, and the requests whose rows it brings, in the order of its statements.
class postgres {
 public:
  postgres(const char* url, bool sync_each) : connection_(PQconnectdb(url)), sync_each_(sync_each) {
    if (PQstatus(connection_) != CONNECTION_OK) fail();
    prepare("world", "select id, randomnumber from world where id = $1", 1);
    prepare("fortunes", "select id, message from fortune", 0);
    if (PQsetnonblocking(connection_, 1) != 0 || PQenterPipelineMode(connection_) != 1) fail();
  }
  ~postgres() { PQfinish(connection_); }
  postgres(const postgres&) = delete;
  postgres& operator=(const postgres&) = delete;

  int socket() const { return PQsocket(connection_); }

  void ask_world(int id, request& whose) {
    std::array<char, 12> text{};
    std::to_chars(text.data(), text.data() + text.size() - 1, id);
    const char* const values[] = {text.data()};
    send("world", 1, values, whose);
  }
  void ask_fortunes(request& whose) { send("fortunes", 0, nullptr, whose); }

  /// Sends what this turn asked for. False when the socket has not taken all of it.
  bool finish_turn() {
    if (!asked_) return true;
    asked_ = false;
    if (!sync_each_) sync();
    return flush();
  }
  bool flush() {
    const int left = PQflush(connection_);
    if (left < 0) fail();
    return left == 0;
  }

  /// Calls `done(request)` for each request that has its last row now.
  template <class Done>
  void receive(Done done) {
    if (PQconsumeInput(connection_) != 1) fail();
    while (expected_ > 0 && PQisBusy(connection_) == 0) {
      PGresult* const came = PQgetResult(connection_);
      if (!came) continue;  // the end of one statement's results
      switch (PQresultStatus(came)) {
        case PGRES_TUPLES_OK: {
          request& whose = *waiting_.front();
          waiting_.pop_front();
          take(came, whose);
          if (--whose.missing == 0) done(whose);
          break;
        }
        case PGRES_PIPELINE_SYNC: break;
        default: fail();
      }
      --expected_;
      PQclear(came);
    }
  }

 private:
  [[noreturn]] void fail() const { throw std::runtime_error(PQerrorMessage(connection_)); }

  void sync() {
    if (PQpipelineSync(connection_) != 1) fail();
    ++expected_;
  }

  void prepare(const char* name, const char* sql, int parameters) {
    PGresult* const done = PQprepare(connection_, name, sql, parameters, nullptr);
    const bool well = PQresultStatus(done) == PGRES_COMMAND_OK;
    PQclear(done);
    if (!well) fail();
  }

  void send(const char* name, int parameters, const char* const* values, request& whose) {
    if (PQsendQueryPrepared(connection_, name, parameters, values, nullptr, nullptr, 0) != 1) fail();
    waiting_.push_back(&whose);
    ++expected_;
    asked_ = true;
    if (sync_each_) sync();
  }

  static void take(const PGresult* rows, request& whose) {
    if (whose.what == question::fortunes) return append_fortunes(whose.body, rows);
    if (whose.body.size() > 1) whose.body += ',';
    append_world(whose.body, rows);
  }

  PGconn* connection_;
  std::deque<request*> waiting_;
  std::size_t expected_ = 0;  // results, those of Syncs included
  bool sync_each_;
  bool asked_ = false;
};

class raw_pg_server {
 public:
  raw_pg_server(std::uint16_t port, const char* url, std::size_t connections, bool sync_each)
      : set_(::epoll_create1(EPOLL_CLOEXEC)),
        listener_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    for (std::size_t i = 0; i < connections; ++i) {
      databases_.push_back(std::make_unique<postgres>(url, sync_each));
      const int fd = databases_.back()->socket();
      watch(fd, EPOLLIN, EPOLL_CTL_ADD);
      role_of(fd).database = databases_.back().get();
    }
    listen_on(port);
    sigset_t stops;
    ::sigemptyset(&stops);
    ::sigaddset(&stops, SIGTERM);
    ::sigaddset(&stops, SIGINT);
    ::sigprocmask(SIG_BLOCK, &stops, nullptr);
    signals_ = ::signalfd(-1, &stops, SFD_CLOEXEC);
    watch(signals_, EPOLLIN, EPOLL_CTL_ADD);
  }

  void run() {
    std::array<epoll_event, batch_size> batch;
    for (;;) {
      const int ready = ::epoll_wait(set_, batch.data(), batch_size, -1);
      for (int i = 0; i < ready; ++i) {
        const auto& event = batch[static_cast<std::size_t>(i)];
        const int fd = event.data.fd;
        if (fd == signals_) return;
        if (fd == listener_)
          accept_all();
        else if (postgres* const database = role_of(fd).database)
          serve_database(*database, event.events);
        else
          serve_client(fd);
      }
      for (const auto& each : databases_)
        if (!each->finish_turn()) watch(each->socket(), EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
    }
  }

 private:
  struct role {
    postgres* database = nullptr;
    std::uint32_t generation = 0;
  };

  role& role_of(int fd) {
    const auto place = static_cast<std::size_t>(fd);
    if (place >= roles_.size()) roles_.resize(place + 1);
    return roles_[place];
  }

  void watch(int fd, std::uint32_t events, int how) const {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    ::epoll_ctl(set_, how, fd, &event);
  }

  void listen_on(std::uint16_t port) {
    const int on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 ||
        ::listen(listener_, 4096) != 0)
      throw std::system_error(errno, std::generic_category(), "port " + std::to_string(port));
    watch(listener_, EPOLLIN, EPOLL_CTL_ADD);
  }

  void accept_all() {
    const int on = 1;
    for (int fd; (fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      ++role_of(fd).generation;
      watch(fd, EPOLLIN, EPOLL_CTL_ADD);
    }
  }

  void serve_database(postgres& from, std::uint32_t events) {
    if ((events & EPOLLOUT) && from.flush()) watch(from.socket(), EPOLLIN, EPOLL_CTL_MOD);
    if (events & ~static_cast<std::uint32_t>(EPOLLOUT)) from.receive([this](request& r) { reply(r); });
  }

  void serve_client(int fd) {
    const ssize_t n = ::recv(fd, input_.get(), input_size, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
      ++role_of(fd).generation;  // what it still waits for is dropped when it comes
      ::close(fd);
      return;
    }
    const std::string_view bytes(input_.get(), static_cast<std::size_t>(n));
    if (bytes.starts_with("GET /db ")) {
      ask_worlds(fd, question::world, 1);
    } else if (constexpr auto path = "GET /queries?n="sv; bytes.starts_with(path)) {
      int n_rows = 1;
      std::from_chars(bytes.data() + path.size(), bytes.data() + bytes.size(), n_rows);
      ask_worlds(fd, question::worlds, std::clamp(n_rows, 1, most_rows));
    } else if (bytes.starts_with("GET /fortunes ")) {
      next_database().ask_fortunes(open(fd, question::fortunes, 1));
    } else {
      write(fd, "404 Not Found", "");
    }
  }

  void ask_worlds(int fd, question what, int count) {
    request& r = open(fd, what, count);
    for (int i = 0; i < count; ++i) next_database().ask_world(ids_.next(), r);
  }

  postgres& next_database() { return *databases_[turn_++ % databases_.size()]; }

  request& open(int fd, question what, int rows) {
    if (free_.empty()) {
      all_.push_back(std::make_unique<request>());
      free_.push_back(all_.back().get());
    }
    request& r = *free_.back();
    free_.pop_back();
    r.client = fd;
    r.generation = role_of(fd).generation;
    r.missing = rows;
    r.what = what;
    r.body = what == question::world ? "" : "[";
    return r;
  }

  void reply(request& r) {
    if (r.what != question::world) r.body += ']';
    if (role_of(r.client).generation == r.generation) write(r.client, "200 OK", r.body);
    free_.push_back(&r);
  }

  void write(int fd, std::string_view status, std::string_view body) {
    output_.assign("HTTP/1.1 ").append(status).append("\r\nServer: raw\r\nDate: ").append(date());
    output_.append("\r\nContent-Type: application/json\r\nContent-Length: ");
    output_.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
    // A client that does not read loses the rest: the limit has no flow control.
    if (::send(fd, output_.data(), output_.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(output_.size()))
      ::shutdown(fd, SHUT_RDWR);
  }

  const std::string& date() {
    const std::time_t now = std::time(nullptr);
    if (now == dated_) return date_;
    dated_ = now;
    std::tm utc{};
    ::gmtime_r(&now, &utc);
    std::array<char, 40> text;
    date_.assign(text.data(), std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc));
    return date_;
  }

  int set_;
  int listener_;
  int signals_ = -1;
  std::vector<std::unique_ptr<postgres>> databases_;
  std::vector<role> roles_;  // by descriptor
  std::vector<std::unique_ptr<request>> all_;
  std::vector<request*> free_;
  std::size_t turn_ = 0;
  random_ids ids_;
  std::unique_ptr<char[]> input_ = std::make_unique<char[]>(input_size);
  std::string output_;
  std::string date_;
  std::time_t dated_ = -1;
};

}  // namespace

int main(int argc, char** argv) {
  std::uint16_t port = 18082;
  std::size_t connections = 4;
  bool sync_each = false;
  const auto number = [](const char* text, auto& into) {
    std::from_chars(text, text + std::strlen(text), into);
  };
  for (int i = 1; i + 1 < argc; ++i) {
    if (argv[i] == "--port"sv) number(argv[i + 1], port);
    if (argv[i] == "--connections"sv) number(argv[i + 1], connections);
    if (argv[i] == "--sync"sv) sync_each = argv[i + 1] == "each"sv;
  }
  const char* const url = std::getenv("DATABASE_URL");
  if (!url || connections == 0) {
    std::fprintf(stderr, "raw_pg_server: it takes DATABASE_URL and one connection at least\n");
    return 64;
  }
  try {
    raw_pg_server(port, url, connections, sync_each).run();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "raw_pg_server: %s\n", e.what());
    return 1;
  }
}
