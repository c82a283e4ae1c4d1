#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include "app/handover.hpp"
#include "app/handover_line.hpp"
#include "corbel/runtime/task.hpp"

namespace corbel {
namespace {

namespace asio = boost::asio;
namespace line = handover_line;
using protocol = asio::local::stream_protocol;

/// How long a successor may take from having the sockets to serving on them.
constexpr std::chrono::seconds successor_time{60};

[[noreturn]] void refuse(const std::string& what, const std::string& path) {
  throw std::runtime_error(what + " the hand-over socket " + path + ": " + std::strerror(errno));
}

/// Whether all descriptors went.
bool send_all(int fd, const std::vector<int>& sockets) {
  std::string text = std::string(line::greeting) + std::to_string(sockets.size()) + '\n';
  for (std::size_t from = 0; from < sockets.size(); from += line::descriptors_per_message) {
    const auto count = std::min(line::descriptors_per_message, sockets.size() - from);
    if (!line::send(fd, text, sockets.data() + from, count)) return false;
    text = "+";
  }
  return true;
}

}  // namespace

struct handover_offer::impl {
  impl(asio::io_context& context, std::string p, std::vector<int> s, logger l, std::function<void(pid_t)> t)
      : acceptor(context),
        path(std::move(p)),
        sockets(std::move(s)),
        log(std::move(l)),
        taken(std::move(t)) {}

  void listen();
  void withdraw() noexcept;
  task<bool> serves(protocol::socket& successor);
  static task<> run(std::shared_ptr<impl> self);

  protocol::acceptor acceptor;
  std::string path;
  std::vector<int> sockets;
  logger log;
  std::function<void(pid_t)> taken;
  struct stat made {};
};

void handover_offer::impl::listen() {
  struct stat there {};
  if (::lstat(path.c_str(), &there) == 0 && !S_ISSOCK(there.st_mode))
    throw std::runtime_error("the hand-over socket's path " + path + " names something else; choose another");
  // Made under another name, so that the path always names a socket that somebody listens on.
  const auto name = path + '.' + std::to_string(::getpid());
  ::unlink(name.c_str());
  const int fd = line::make(true);
  acceptor.assign(protocol(), fd);
  line::bind(fd, name);
  // Nobody can connect before it listens: the permissions are in place by then.
  if (::chmod(name.c_str(), 0600) != 0 || ::stat(name.c_str(), &made) != 0 || ::listen(fd, 8) != 0 ||
      ::rename(name.c_str(), path.c_str()) != 0) {
    const int reason = errno;
    ::unlink(name.c_str());
    errno = reason;
    refuse("cannot make", path);
  }
}

void handover_offer::impl::withdraw() noexcept {
  struct stat there {};
  const bool own = acceptor.is_open() && ::lstat(path.c_str(), &there) == 0 && there.st_ino == made.st_ino &&
                   there.st_dev == made.st_dev;
  if (own) ::unlink(path.c_str());
  boost::system::error_code ignored;
  acceptor.close(ignored);
}

task<bool> handover_offer::impl::serves(protocol::socket& successor) {
  using namespace asio::experimental::awaitable_operators;
  asio::steady_timer limit(successor.get_executor(), successor_time);
  std::array<char, line::farewell.size()> word{};
  std::size_t have = 0;
  while (have < word.size()) {
    const auto room = asio::buffer(word.data() + have, word.size() - have);
    // As a tuple: what throws would otherwise wait for the other one.
    const auto first = co_await (successor.async_read_some(room, asio::as_tuple(asio::use_awaitable)) ||
                                 limit.async_wait(asio::use_awaitable));
    if (first.index() != 0) co_return false;
    const auto [failed, size] = std::get<0>(first);
    if (failed) co_return false;
    have += size;
  }
  co_return std::string_view(word.data(), word.size()) == line::farewell;
}

task<> handover_offer::impl::run(std::shared_ptr<impl> self) {
  while (self->acceptor.is_open()) {
    pid_t process = 0;
    bool serving = false;
    try {
      auto successor = co_await self->acceptor.async_accept(asio::use_awaitable);
      const auto who = line::peer_of(successor.native_handle());
      process = who.process;
      if (!who.trusted) {
        self->log.warn("another user asked for the port", {{"process", process}});
        continue;
      }
      self->log.info("handing over the port", {{"process", process}});
      if (send_all(successor.native_handle(), self->sockets)) serving = co_await self->serves(successor);
    } catch (const std::exception&) {
      // The successor has gone, or this offer is withdrawn.
    }
    if (!self->acceptor.is_open()) co_return;
    if (serving) {
      self->withdraw();
      co_return self->taken(process);
    }
    if (process != 0) self->log.warn("the port was not taken over; still serving", {{"process", process}});
  }
}

handover_offer::handover_offer(asio::io_context& context, const std::string& path, std::vector<int> sockets,
                               logger log, std::function<void(pid_t)> taken)
    : impl_(std::make_shared<impl>(context, path, std::move(sockets), std::move(log), std::move(taken))) {
  impl_->listen();
  asio::co_spawn(context, impl::run(impl_), asio::detached);
}

handover_offer::~handover_offer() {
  impl_->withdraw();
}

}  // namespace corbel
