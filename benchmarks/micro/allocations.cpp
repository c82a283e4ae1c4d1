// Proves that a warm server allocates nothing for a request on the plain path: every allocation on the
// server's thread is counted while a client asks over a real socket. Ends with 1 when a path that must be
// free of them is not.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <charconv>
#include <corbel/corbel.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include "service/routes.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CORBEL_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CORBEL_SANITIZED 1
#endif
#endif

namespace {

std::atomic<std::uint64_t> allocations{0};
// Plain thread-local data: looking at it must not itself allocate.
thread_local bool counted = false;

void count() noexcept {
  if (counted) allocations.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

#ifdef CORBEL_SANITIZED
// The sanitizers have malloc for themselves, so only `new` is counted under them.
void* operator new(std::size_t size) {
  count();
  if (void* p = std::malloc(size ? size : 1)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept {
  std::free(p);
}
void operator delete(void* p, std::size_t) noexcept {
  std::free(p);
}
#else
// Everything that allocates ends in one of these, `new` and the libraries' C code too.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t size) {
  count();
  return __libc_malloc(size);
}
void* calloc(std::size_t n, std::size_t size) {
  count();
  return __libc_calloc(n, size);
}
void* realloc(void* p, std::size_t size) {
  count();
  return __libc_realloc(p, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  count();
  return __libc_memalign(alignment, size);
}
}
#endif

namespace {

/// The measured routes behind the default middleware, on a thread of its own.
class served {
 public:
  served() : app_(settings()), work_(context_.get_executor()) {
    add_measured_routes(app_.routes());
    app_.routes().get("/allocates", [] { return std::string(100, 'x'); });
    std::promise<std::exception_ptr> up;
    app_.start(context_, [&](std::exception_ptr failed) { up.set_value(failed); });
    thread_ = std::thread([this] {
      counted = true;
      context_.run();
    });
    if (auto failed = up.get_future().get()) std::rethrow_exception(failed);
  }
  ~served() {
    std::promise<void> down;
    boost::asio::post(context_, [&] { app_.stop([&] { down.set_value(); }); });
    down.get_future().wait();
    work_.reset();
    context_.stop();
    thread_.join();
  }
  std::uint16_t port() const { return app_.port(); }

 private:
  static corbel::app_settings settings() {
    corbel::app_settings made;
    made.server.port = 0;
    made.log = corbel::logger();
    return made;
  }
  boost::asio::io_context context_;
  corbel::app app_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::thread thread_;
};

/// A blocking client of one connection. Its thread is not counted.
class client {
 public:
  explicit client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{30, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
      throw std::runtime_error("cannot connect");
  }
  ~client() { ::close(fd_); }

  /// Sends `requests` and reads until `replies` status lines have come, each the expected one, and their
  /// bodies.
  void ask(const std::string& requests, int replies, std::string_view status) {
    if (::send(fd_, requests.data(), requests.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(requests.size()))
      throw std::runtime_error("the server did not take the request");
    for (in_.clear(); replies > 0;) {
      char piece[16384];
      const auto n = ::recv(fd_, piece, sizeof piece, 0);
      if (n <= 0) throw std::runtime_error("the server did not answer");
      in_.append(piece, static_cast<std::size_t>(n));
      while (take_one(status)) --replies;
    }
  }

 private:
  bool take_one(std::string_view status) {
    constexpr std::string_view name = "Content-Length: ";
    const auto blank = in_.find("\r\n\r\n");
    const auto length = in_.find(name);
    if (blank == in_.npos || length > blank) return false;
    std::size_t size = 0;
    std::from_chars(in_.data() + length + name.size(), in_.data() + blank, size);
    if (in_.size() < blank + 4 + size) return false;
    if (in_.compare(9, status.size(), status) != 0)
      throw std::runtime_error("the server answered " + in_.substr(9, 100));
    in_.erase(0, blank + 4 + size);
    return true;
  }
  int fd_;
  std::string in_;
};

struct path {
  const char* name;
  std::string request;
  const char* status;
  int depth;      ///< requests sent at once
  bool demanded;  ///< that it allocates nothing
};

std::string get(const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\nUser-Agent: allocations\r\n\r\n";
}

/// Allocations for each of `rounds` requests (of `depth` each), once the connection is warm.
double measure(std::uint16_t port, const path& p) {
  constexpr int warm = 10, rounds = 40;  // within the requests that a connection may make
  std::string requests;
  for (int i = 0; i < p.depth; ++i) requests += p.request;
  client c(port);
  for (int i = 0; i < warm; ++i) c.ask(requests, p.depth, p.status);
  const auto before = allocations.load();
  for (int i = 0; i < rounds; ++i) c.ask(requests, p.depth, p.status);
  return static_cast<double>(allocations.load() - before) / (rounds * p.depth);
}

}  // namespace

int main() {
  const std::string body(measured_body);
  const std::string post =
      "POST /api/v1/projects HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body;
  const path all[] = {
      {"plaintext", get("/plaintext"), "200", 1, true},
      {"plaintext, pipelined by 16", get("/plaintext"), "200", 16, true},
      {"json", get("/json"), "200", 1, true},
      {"parameters among 100 routes", get("/api/v1/projects/42/tasks/1337"), "200", 1, true},
      {"validated POST", post, "201", 1, false},
      {"not found", get("/nowhere"), "404", 1, false},
  };
  int broken = 0;
  try {
    served server;
    const path known{"", get("/allocates"), "200", 1, false};
    if (measure(server.port(), known) < 1) {
      std::puts("the counter counts nothing: a handler that allocates was not noticed");
      return 1;
    }
    std::puts("allocations per request");
    for (const auto& each : all) {
      const double n = measure(server.port(), each);
      const bool bad = each.demanded && n > 0;
      broken += bad;
      std::printf("  %-30s %6.2f%s\n", each.name, n, bad ? "  must be 0" : "");
    }
  } catch (const std::exception& e) {
    std::printf("allocations: %s\n", e.what());
    return 1;
  }
  if (broken)
    std::puts("A request on the plain path allocates: break in malloc on the server's thread to see where.");
  return broken ? 1 : 0;
}
