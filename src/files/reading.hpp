#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "corbel/http/body_stream.hpp"
#include "corbel/runtime/blocking_pool.hpp"
#include "files/open.hpp"

namespace corbel::file_access {

/// A file as it was when it was opened.
struct open_file {
  descriptor fd;
  struct stat facts {};

  std::uint64_t size() const noexcept { return static_cast<std::uint64_t>(facts.st_size); }
};

enum class read_outcome : std::uint8_t {
  done,
  may_block,  ///< not all of it is in the kernel's memory
  changed,    ///< it is no longer the file that was opened, or cannot be read
};

/// Reads `size` bytes from `from` on to `to`, and looks whether the file is still the same.
read_outcome read_now(const open_file& file, std::uint64_t from, std::size_t size, char* to,
                      patience how) noexcept;

/// The same, at once when it is possible, otherwise on the pool. Empty when the file has changed. The job
/// asks the kernel to fetch as much again, which is what is wanted next.
task<std::optional<std::string>> read_bytes(std::shared_ptr<const open_file> file, std::uint64_t from,
                                            std::size_t size, blocking_pool& pool);

/// A piece of a file, with what stands before it.
struct file_part {
  std::string head;
  std::uint64_t from = 0;
  std::uint64_t size = 0;
};

/// Produces parts of a file while they are sent. A file that changes meanwhile makes it throw, which ends the
/// connection: better no file than a mixture of two.
struct file_stream {
  std::shared_ptr<const open_file> file;
  std::vector<file_part> parts;
  std::string tail;
  std::size_t piece_bytes;
  std::shared_ptr<blocking_pool> pool;

  std::uint64_t length() const noexcept;
  task<> operator()(body_sink& to) const;
};

}  // namespace corbel::file_access
