#include "files/reading.hpp"

#include <fcntl.h>
#include <sys/uio.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>

#include "corbel/base/error.hpp"

namespace corbel::file_access {
namespace {

std::optional<std::string> read_waiting(const std::shared_ptr<const open_file>& file, std::uint64_t from,
                                        std::size_t size) {
  std::string bytes(size, '\0');
  if (read_now(*file, from, size, bytes.data(), patience::any) != read_outcome::done) return {};
  ::posix_fadvise(file->fd.get(), static_cast<off_t>(from + size), static_cast<off_t>(size),
                  POSIX_FADV_WILLNEED);
  return bytes;
}

}  // namespace

read_outcome read_now(const open_file& file, std::uint64_t from, std::size_t size, char* to,
                      patience how) noexcept {
  std::size_t done = 0;
  while (done < size) {
    const iovec into{to + done, size - done};
    const auto came = ::preadv2(file.fd.get(), &into, 1, static_cast<off_t>(from + done),
                                how == patience::none ? RWF_NOWAIT : 0);
    if (came > 0) {
      done += static_cast<std::size_t>(came);
      continue;
    }
    if (came < 0 && errno == EINTR) continue;
    // EOPNOTSUPP: a file system that cannot tell whether it would wait.
    if (came < 0 && how == patience::none) return read_outcome::may_block;
    return read_outcome::changed;  // shorter than it was, or the disk fails
  }
  struct stat now {};
  return ::fstat(file.fd.get(), &now) == 0 && is_same(file.facts, now) ? read_outcome::done
                                                                       : read_outcome::changed;
}

task<std::optional<std::string>> read_bytes(std::shared_ptr<const open_file> file, std::uint64_t from,
                                            std::size_t size, blocking_pool& pool) {
  std::string bytes(size, '\0');
  switch (read_now(*file, from, size, bytes.data(), patience::none)) {
    case read_outcome::done: co_return bytes;
    case read_outcome::changed: co_return std::nullopt;
    case read_outcome::may_block: break;
  }
  co_return co_await pool.run(&read_waiting, std::move(file), from, size);
}

std::uint64_t file_stream::length() const noexcept {
  std::uint64_t sum = tail.size();
  for (const auto& part : parts) sum += part.head.size() + part.size;
  return sum;
}

task<> file_stream::operator()(body_sink& to) const {
  for (const auto& part : parts) {
    if (!part.head.empty()) co_await to.write(part.head);
    for (std::uint64_t done = 0; done < part.size;) {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(piece_bytes, part.size - done));
      const auto bytes = co_await read_bytes(file, part.from + done, size, *pool);
      if (!bytes)
        throw failure(internal_error("a file changed while it was being sent; the connection was cut"));
      co_await to.write(*bytes);
      done += size;
      co_await boost::asio::post(
          boost::asio::use_awaitable);  // a quick client must not have the loop to itself
    }
  }
  if (!tail.empty()) co_await to.write(tail);
}

}  // namespace corbel::file_access
