// The limit that ratios are taken against: raw_server --port N [--padding BYTES]
//
// One thread, one level-triggered epoll set, one recv and one send a wake-up. It finds where each request
// ends and answers with bytes that were laid out beforehand. It checks nothing, keeps no deadline and refuses
// nobody: what a server does beyond this is what the ratio shows. It answers the routes of bench_server with
// the same statuses and bodies of the same length. Padding makes its heads as long as another server's, to
// tell what the bytes cost from what is done for them.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>

namespace {

using namespace std::string_view_literals;

constexpr std::size_t input_size = 64 * 1024;  // a request that does not fit is no request of ours
constexpr int batch_size = 512;

/// The replies, written anew when the Date changes.
class replies {
 public:
  explicit replies(std::size_t padding) : padding_(padding, 'x') {}

  std::string plaintext, json, route, created, missing;

  void refresh() {
    const std::time_t now = std::time(nullptr);
    if (now == written_) return;
    written_ = now;
    std::tm utc{};
    ::gmtime_r(&now, &utc);
    char date[40];
    date_.assign(date, std::strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &utc));
    plaintext = reply("200 OK", "text/plain", "Hello, World!");
    json = reply("200 OK", "application/json", R"({"message":"Hello, World!"})");
    route = reply("200 OK", "application/json", R"({"id":"42","taskId":"1337"})");
    created =
        reply("201 Created", "application/json",
              R"({"id":"019a0000-0000-7000-8000-000000000000","name":"Apollo launch scheduler",)"
              R"("description":"Plan and track every task of the launch campaign.","ownerId":42,)"
              R"("status":"active","priority":3,"tags":["alpha","beta","release"],"dueDate":"2026-12-31"})");
    missing = reply("404 Not Found", "text/plain", "");
  }

 private:
  std::string reply(std::string_view status, std::string_view type, std::string_view body) const {
    std::string text = "HTTP/1.1 ";
    text.append(status).append("\r\nServer: raw\r\nDate: ").append(date_).append("\r\nContent-Type: ");
    text.append(type).append("\r\nContent-Length: ").append(std::to_string(body.size()));
    if (!padding_.empty()) text.append("\r\nPadding: ").append(padding_);
    return text.append("\r\n\r\n").append(body);
  }

  std::string padding_;
  std::time_t written_ = -1;
  std::string date_;
};

/// With its blank line; 0 when that has not come yet.
std::size_t head_size(std::string_view bytes) {
  const void* blank = ::memmem(bytes.data(), bytes.size(), "\r\n\r\n", 4);
  return blank ? static_cast<std::size_t>(static_cast<const char*>(blank) - bytes.data()) + 4 : 0;
}

/// The length that a head announces for its body; our clients write the name in this one way.
std::size_t announced_body(std::string_view head) {
  constexpr auto name = "\r\nContent-Length: "sv;
  const auto at = head.find(name);
  if (at == head.npos) return 0;
  std::size_t size = 0;
  std::from_chars(head.data() + at + name.size(), head.data() + head.size(), size);
  return size;
}

const std::string& answer_to(std::string_view request, const replies& all) {
  if (request.starts_with("GET /plaintext ")) return all.plaintext;
  if (request.starts_with("GET /json ")) return all.json;
  if (request.starts_with("GET /api/v1/projects/")) return all.route;
  if (request.starts_with("POST /api/v1/projects ")) return all.created;
  return all.missing;
}

class raw_server {
 public:
  raw_server(std::uint16_t port, std::size_t padding)
      : replies_(padding),
        set_(::epoll_create1(EPOLL_CLOEXEC)),
        listener_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)) {
    const int on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 ||
        ::listen(listener_, 4096) != 0)
      throw std::system_error(errno, std::generic_category(), "port " + std::to_string(port));
    watch(listener_);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, batch_size> batch;
    for (;;) {
      const int ready = ::epoll_wait(set_, batch.data(), batch_size, -1);
      replies_.refresh();
      for (int i = 0; i < ready; ++i) {
        const int fd = batch[static_cast<std::size_t>(i)].data.fd;
        fd == listener_ ? accept_all() : serve(fd);
      }
    }
  }

 private:
  void watch(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    ::epoll_ctl(set_, EPOLL_CTL_ADD, fd, &event);
  }

  void accept_all() {
    const int on = 1;
    for (int fd; (fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      watch(fd);
    }
  }

  void end(int fd) {
    rest_.erase(fd);
    ::close(fd);
  }

  void serve(int fd) {
    std::size_t have = 0;
    if (!rest_.empty()) {
      if (const auto kept = rest_.find(fd); kept != rest_.end()) {
        have = kept->second.size();
        std::memcpy(input_.get(), kept->second.data(), have);
        rest_.erase(kept);
      }
    }
    const ssize_t n = ::recv(fd, input_.get() + have, input_size - have, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return end(fd);
    std::string_view bytes(input_.get(), have + static_cast<std::size_t>(n));
    output_.clear();
    while (const std::size_t head = head_size(bytes)) {
      const bool has_body = bytes.front() == 'P';  // of our clients' methods only POST has one
      const std::size_t size = head + (has_body ? announced_body(bytes.substr(0, head)) : 0);
      if (size > bytes.size()) break;
      output_.append(answer_to(bytes, replies_));
      bytes.remove_prefix(size);
    }
    if (!bytes.empty()) rest_[fd] = bytes;
    // A client that does not read is not waited for: the limit has no flow control.
    if (!output_.empty() &&
        ::send(fd, output_.data(), output_.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(output_.size()))
      end(fd);
  }

  replies replies_;
  int set_;
  int listener_;
  std::unique_ptr<char[]> input_ = std::make_unique<char[]>(input_size);
  std::string output_;
  std::unordered_map<int, std::string> rest_;  // of a request that came in pieces
};

}  // namespace

int main(int argc, char** argv) {
  std::uint16_t port = 18081;
  std::size_t padding = 0;
  const auto number = [](const char* text, auto& into) {
    std::from_chars(text, text + std::strlen(text), into);
  };
  for (int i = 1; i + 1 < argc; ++i) {
    if (argv[i] == "--port"sv) number(argv[i + 1], port);
    if (argv[i] == "--padding"sv) number(argv[i + 1], padding);
  }
  try {
    raw_server(port, padding).run();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "raw_server: cannot listen: %s\n", e.what());
    return 1;
  }
}
