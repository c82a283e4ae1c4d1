#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <corbel/base/describe/describe.hpp>
#include <corbel/http/multipart.hpp>
#include <corbel/runtime/task.hpp>

namespace corbel {

class blocking_pool;

/// How `multipart<T>` keeps what it reads. An app that wants other values provides one:
/// `server.provide(settings)`. When it provides a `blocking_pool` too, files are written and read there;
/// without one that happens on the request's loop, in pieces of 256 KiB, which stalls the loop where disks
/// are slow. The pool must outlive every upload.
struct multipart_settings {
  multipart_limits limits;
  std::size_t field_bytes = 64 * 1024;     ///< one text field
  std::size_t fields_bytes = 1024 * 1024;  ///< all text fields of a form together
  std::size_t file_memory = 64 * 1024;  ///< a file up to this size stays in memory, a larger one goes to disk
  std::uint64_t file_bytes = std::numeric_limits<std::uint64_t>::max();  ///< one file
  /// Where temporary files are made; it must exist. Empty for TMPDIR, or /tmp. They have no names, and none
  /// but this process can read them.
  std::string directory;
};

/// How `upload::save_as` writes.
struct save_options {
  bool overwrite = false;  ///< replace what stands there, at once; otherwise that is a conflict
  unsigned mode = 0600;    ///< the permissions of the file
  bool sync = false;       ///< wait until the disk has it
};

/// One uploaded file: in memory, or in a nameless temporary file that is gone when the last copy of this is.
/// As a member of a described type it is filled by `multipart<T>`; `std::optional<upload>` and
/// `std::vector<upload>` take none or several. As JSON it is its file name.
///
/// Copies share the file. Functions that return a task run on the loop that awaits them.
class upload {
 public:
  upload() = default;

  /// As the client sent it: to be shown, never to be opened.
  const std::string& filename() const noexcept;
  /// See `safe_file_name`.
  std::string safe_name() const;
  /// As the client sent it, without parameters, in lower case: a claim, not a fact.
  const std::string& content_type() const noexcept;
  std::uint64_t size() const noexcept;
  /// The bytes, when they are in memory; as long as a copy of this lives.
  std::optional<std::string_view> in_memory() const noexcept;

  /// At most `most` bytes from `offset` on; fewer only where the file ends.
  task<std::string> read(std::uint64_t offset, std::size_t most) const;
  /// All of it: look at `size()` before.
  task<std::string> read_all() const;
  /// Gives it a place that stays. The file appears at `path` complete or not at all; a temporary file on the
  /// same file system is linked there, not copied. Throws `failure`: conflict when something stands there
  /// already, unavailable when the disk is full, internal otherwise.
  task<> save_as(std::string path, save_options how = {}) const;

 private:
  friend class upload_writer;
  struct stored;
  explicit upload(std::shared_ptr<const stored> held) : held_(std::move(held)) {}
  static task<std::string> read_from(std::shared_ptr<const stored> held, std::uint64_t offset,
                                     std::size_t most);
  static task<> save(std::shared_ptr<const stored> held, std::string path, save_options how);

  std::shared_ptr<const stored> held_;
};

/// The file name, so that an upload may stand in a described type.
std::string to_text(const upload& file);
/// Always empty: a text is no file.
std::optional<upload> from_text(tag<upload>, std::string_view text) noexcept;

/// Takes one file in while it arrives. Belongs to one coroutine.
class upload_writer {
 public:
  /// `settings` and `pool`, which may be null, must outlive this and the pool every upload.
  upload_writer(const part_head& head, const multipart_settings& settings, blocking_pool* pool);
  ~upload_writer();
  upload_writer(const upload_writer&) = delete;
  upload_writer& operator=(const upload_writer&) = delete;

  /// Throws `failure` (unavailable, "storage_full") when the disk takes no more.
  task<> write(std::string_view bytes);
  std::uint64_t size() const noexcept { return size_; }
  /// Once.
  task<upload> finish();

 private:
  task<> spill();

  const multipart_settings& settings_;
  blocking_pool* const pool_;
  std::shared_ptr<upload::stored> made_;
  std::uint64_t size_ = 0;
};

namespace rules {

/// For `upload` members, and the elements of a list of them.
struct file_rule : rule<file_rule> {
  constexpr file_rule min_bytes(std::size_t n) const {
    return with([=](constraints& c) { c.min_length = n; });
  }
  /// What a file has beyond is not stored.
  constexpr file_rule max_bytes(std::size_t n) const {
    return with([=](constraints& c) { c.max_length = n; });
  }
  /// One of at most 16 media types, such as "image/png" or "image/*". The client only claims the type: look
  /// into the file where it matters.
  template <class... Names>
  constexpr file_rule types(Names... names) const {
    static_assert(sizeof...(Names) <= constraints::most_names, "corbel: types(...) takes at most 16 names");
    return with([=](constraints& c) { ((c.one_of.at(c.one_of_count++) = names), ...); });
  }
};
constexpr file_rule file() {
  return {};
}

}  // namespace rules
}  // namespace corbel
