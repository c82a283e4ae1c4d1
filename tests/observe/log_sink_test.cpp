#include "corbel/observe/log_sink.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

struct ends {
  int read = -1;
  int write = -1;
  ~ends() {
    for (const int fd : {read, write})
      if (fd >= 0) ::close(fd);
  }
};

std::string read_available(int fd) {
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  std::string out(1 << 20, '\0');
  std::size_t have = 0;
  for (ssize_t n = 0; (n = ::read(fd, out.data() + have, out.size() - have)) > 0;)
    have += static_cast<std::size_t>(n);
  out.resize(have);
  return out;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0, end = 0; (end = text.find('\n', at)) != text.npos; at = end + 1)
    lines.push_back(text.substr(at, end - at));
  return lines;
}

}  // namespace

TEST_CASE("a full pipe costs lines, not time, and tears none") {
  ends pipe;
  REQUIRE(::pipe(&pipe.read) == 0);
  const auto sink = corbel::log_to_descriptor(pipe.write);
  const std::string line(9000, 'x');
  int taken = 0;
  while (sink->write(line + "\n")) REQUIRE(++taken < 100);  // with a reader that never reads, this ends
  CHECK(taken > 0);
  CHECK_FALSE(sink->write("lost\n"));
  CHECK((::fcntl(pipe.write, F_GETFL) & O_NONBLOCK) == 0);  // the caller's descriptor is as it was

  auto text = read_available(pipe.read);
  CHECK(sink->write("after\n"));
  text += read_available(pipe.read);
  const auto lines = lines_of(text);
  REQUIRE(static_cast<int>(lines.size()) == taken + 1);
  for (int i = 0; i < taken; ++i) CHECK(lines[static_cast<std::size_t>(i)] == line);
  CHECK(lines.back() == "after");
}

TEST_CASE("a pipe or socket whose reader is gone is an error and no signal") {
  ends pipe;
  REQUIRE(::pipe(&pipe.read) == 0);
  const auto to_pipe = corbel::log_to_descriptor(pipe.write);
  ::close(std::exchange(pipe.read, -1));
  CHECK_FALSE(to_pipe->write("nobody reads this\n"));
  const auto late = corbel::log_to_descriptor(pipe.write);  // a sink made when the reader is gone already
  CHECK_FALSE(late->write("nor this\n"));

  ends sockets;
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, &sockets.read) == 0);
  const auto to_socket = corbel::log_to_descriptor(sockets.write);
  CHECK(to_socket->write("hello\n"));
  CHECK(read_available(sockets.read) == "hello\n");
  ::close(std::exchange(sockets.read, -1));
  CHECK_FALSE(to_socket->write("nobody reads this\n"));

  sigset_t pending;
  ::sigpending(&pending);
  CHECK(::sigismember(&pending, SIGPIPE) == 0);
}

TEST_CASE("a descriptor that cannot be written to loses every line") {
  CHECK_FALSE(corbel::log_to_descriptor(-1)->write("x\n"));
  ends only_read;
  only_read.read = ::open("/dev/null", O_RDONLY);
  CHECK_FALSE(corbel::log_to_descriptor(only_read.read)->write("x\n"));
  ends full;
  full.write = ::open("/dev/full", O_WRONLY);
  if (full.write >= 0) CHECK_FALSE(corbel::log_to_descriptor(full.write)->write("x\n"));
}

TEST_CASE("a regular file grows by whole lines at the writer's place") {
  char name[] = "/tmp/corbel-log-XXXXXX";
  ends file;
  file.write = ::mkstemp(name);
  REQUIRE(file.write >= 0);
  ::unlink(name);
  REQUIRE(::write(file.write, "before\n", 7) == 7);
  const auto sink = corbel::log_to_descriptor(file.write);
  CHECK(sink->write("line\n"));
  REQUIRE(::write(file.write, "after\n", 6) == 6);
  ::lseek(file.write, 0, SEEK_SET);
  CHECK(read_available(file.write) == "before\nline\nafter\n");
  CHECK_FALSE(sink->is_terminal());
}

TEST_CASE("lines of several threads never mix") {
  ends pipe;
  REQUIRE(::pipe(&pipe.read) == 0);
  auto sink = corbel::log_to_descriptor(pipe.write);
  std::string text;
  std::thread reader([&] {
    char buffer[700];  // small, so that writers often find the pipe full
    for (ssize_t n = 0; (n = ::read(pipe.read, buffer, sizeof buffer)) > 0;)
      text.append(buffer, static_cast<std::size_t>(n));
  });
  std::vector<std::thread> writers;
  std::atomic<int> taken = 0;
  for (int t = 0; t < 4; ++t)
    writers.emplace_back([&, t] {
      const std::string line(static_cast<std::size_t>(3000 + 2000 * t), static_cast<char>('a' + t));
      for (int i = 0; i < 300; ++i)
        if (sink->write(line + "\n")) ++taken;
    });
  for (auto& w : writers) w.join();
  // The last line taken may have found room in part only; it is finished before the next.
  while (!sink->write("end\n")) std::this_thread::yield();
  ::close(std::exchange(pipe.write, -1));
  // The sink's own open file keeps the pipe alive until it is gone.
  sink.reset();
  reader.join();
  const auto lines = lines_of(text);
  CHECK(static_cast<int>(lines.size()) == taken + 1);
  for (const auto& line : lines)
    if (line != "end") {
      REQUIRE(line.size() == static_cast<std::size_t>(3000 + 2000 * (line[0] - 'a')));
      REQUIRE(line.find_first_not_of(line[0]) == line.npos);
    }
}
