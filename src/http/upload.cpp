#include "corbel/http/upload.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <system_error>

#include "corbel/base/error.hpp"
#include "corbel/http/field.hpp"
#include "corbel/runtime/blocking_pool.hpp"
#include "http/temporary_file.hpp"

namespace corbel {
namespace {

constexpr std::size_t write_size = 256 * 1024;  // bytes that one call of the disk is worth

const std::string none;

[[noreturn]] void refuse(const std::system_error& why) {
  switch (why.code().value()) {
    case EEXIST:
      throw failure(conflict("A file of that name is there already.", "file_exists").because(why.what()));
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
      throw failure(unavailable("There is no room for the file now. Try again later.", "storage_full")
                        .because(why.what()));
    default: throw failure(internal_error(why.what()));
  }
}

/// Calls `f` on the pool, or here when there is none.
template <class F, class... Args>
task<std::invoke_result_t<F, Args...>> blocking(blocking_pool* pool, F f, Args... args) {
  using made = std::invoke_result_t<F, Args...>;
  // A handler of an exception must not wait, nor be the end of a coroutine that does: see it out first.
  std::optional<std::system_error> failed;
  try {
    if constexpr (std::is_void_v<made>) {
      if (pool)
        co_await pool->run(std::move(f), std::move(args)...);
      else
        f(std::move(args)...);
      co_return;
    } else {
      if (!pool) co_return f(std::move(args)...);
      co_return co_await pool->run(std::move(f), std::move(args)...);
    }
  } catch (const std::system_error& why) {
    failed = why;
  }
  refuse(*failed);
}

std::string bare_type(std::string_view sent) {
  std::string type(trim_space(sent.substr(0, sent.find(';'))));
  std::transform(type.begin(), type.end(), type.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  return type;
}

}  // namespace

struct upload::stored {
  ~stored() {
    // Closing the last descriptor of a large nameless file frees its blocks, which may take a while.
    if (file && pool) (void)pool->post([gone = std::move(file)]() mutable { gone.reset(); });
  }
  std::string filename;
  std::string content_type;
  std::string memory;  // all of it, or what is not written yet
  std::uint64_t size = 0;
  std::shared_ptr<temporary_file> file;
  blocking_pool* pool = nullptr;
};

const std::string& upload::filename() const noexcept {
  return held_ ? held_->filename : none;
}
std::string upload::safe_name() const {
  return safe_file_name(filename());
}
const std::string& upload::content_type() const noexcept {
  return held_ ? held_->content_type : none;
}
std::uint64_t upload::size() const noexcept {
  return held_ ? held_->size : 0;
}
std::optional<std::string_view> upload::in_memory() const noexcept {
  if (!held_) return std::string_view();
  if (held_->file) return {};
  return held_->memory;
}

task<std::string> upload::read(std::uint64_t offset, std::size_t most) const {
  return read_from(held_, offset, most);
}
task<std::string> upload::read_all() const {
  return read_from(held_, 0, static_cast<std::size_t>(size()));
}
task<> upload::save_as(std::string path, save_options how) const {
  return save(held_, std::move(path), how);
}

task<std::string> upload::read_from(std::shared_ptr<const stored> held, std::uint64_t offset,
                                    std::size_t most) {
  if (!held || offset >= held->size) co_return std::string();
  most = static_cast<std::size_t>(std::min<std::uint64_t>(most, held->size - offset));
  if (!held->file) co_return held->memory.substr(static_cast<std::size_t>(offset), most);
  co_return co_await blocking(
      held->pool,
      [](const std::shared_ptr<temporary_file>& file, std::uint64_t from, std::size_t size) {
        return file->read(from, size);
      },
      held->file, offset, most);
}

task<> upload::save(std::shared_ptr<const stored> held, std::string path, save_options how) {
  co_await blocking(
      held ? held->pool : nullptr,
      [](const std::shared_ptr<const stored>& from, const std::string& to, const save_options& options) {
        if (from && from->file) return from->file->save_as(to, options);
        save_bytes(from ? std::string_view(from->memory) : std::string_view(), to, options);
      },
      held, std::move(path), how);
}

std::string to_text(const upload& file) {
  return file.filename();
}
std::optional<upload> from_text(tag<upload>, std::string_view) noexcept {
  return {};
}

upload_writer::upload_writer(const part_head& head, const multipart_settings& settings, blocking_pool* pool)
    : settings_(settings), pool_(pool), made_(std::make_shared<upload::stored>()) {
  made_->filename = head.filename.value_or("");
  made_->content_type = bare_type(head.content_type);
  made_->pool = pool;
}
upload_writer::~upload_writer() = default;

task<> upload_writer::write(std::string_view bytes) {
  made_->memory += bytes;
  size_ += bytes.size();
  const bool full =
      made_->file ? made_->memory.size() >= write_size : made_->memory.size() > settings_.file_memory;
  if (full) co_await spill();
}

/// Writes what is in memory to the file. The work owns what it writes: whoever waits for it may be cancelled.
task<> upload_writer::spill() {
  if (!made_->file)
    made_->file = co_await blocking(
        pool_, [](const std::string& directory) { return std::make_shared<temporary_file>(directory); },
        settings_.directory);
  made_->memory = co_await blocking(
      pool_,
      [](const std::shared_ptr<temporary_file>& file, std::string bytes) {
        file->append(bytes);
        bytes.clear();
        return bytes;
      },
      made_->file, std::move(made_->memory));
}

task<upload> upload_writer::finish() {
  if (made_->file && !made_->memory.empty()) co_await spill();
  if (made_->file)
    made_->memory = std::string();
  else
    made_->memory.shrink_to_fit();
  made_->size = size_;
  co_return upload(std::move(made_));
}

}  // namespace corbel
