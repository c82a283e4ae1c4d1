#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <corbel/data/codec.hpp>
#include <corbel/data/driver.hpp>
#include <corbel/runtime/task.hpp>

namespace corbel::postgres {

class backend;

namespace detail {
struct copy_state;

/// Rows of a described class, wherever they lie; `keep` owns them.
struct row_span {
  std::shared_ptr<const void> keep;
  const type_descriptor* type = nullptr;
  const void* first = nullptr;
  std::size_t stride = 0;
  std::size_t count = 0;
};
}  // namespace detail

/// A COPY into the database under way: `write` what came, piece by piece, then `finish`. Nothing is stored
/// unless `finish` has ended; destroying it undoes all. Used by one coroutine at a time.
class copy_writer {
 public:
  explicit copy_writer(std::shared_ptr<detail::copy_state> state) noexcept : state_(std::move(state)) {}

  /// Ends when the server has taken the piece: whoever waits for it never holds more than one. A piece may
  /// end anywhere, also within a row. Throws `failure`: a broken constraint, `malformed` for text that is no
  /// row, ... After a failure, and after a cancelled call, nothing of the whole is stored.
  task<void> write(std::string piece);
  /// Gives the number of rows that were stored. When it is cancelled, or the connection breaks in it
  /// ("commit_unknown"), they may have been stored, or not.
  task<std::int64_t> finish();

 private:
  std::shared_ptr<detail::copy_state> state_;
};

/// A COPY out of the database under way, as the text that the server makes. Used by one coroutine at a time.
/// Destroying it before its end stops the statement.
class copy_reader {
 public:
  explicit copy_reader(std::shared_ptr<detail::copy_state> state) noexcept : state_(std::move(state)) {}

  /// Some whole rows, about 64 KiB of them; empty at the end. While nobody asks, the server waits. Throws
  /// `failure`: what came before is not all there is.
  task<std::optional<std::string>> next();

 private:
  std::shared_ptr<detail::copy_state> state_;
};

namespace detail {
task<std::unique_ptr<data::result_set>> next_rows(std::shared_ptr<copy_state> from);
}

/// The rows of a query, a few at a time in memory, however many there are. Used by one coroutine at a time.
/// Destroying it before its end stops the query.
template <class T>
class row_stream {
 public:
  explicit row_stream(std::shared_ptr<detail::copy_state> state) noexcept : state_(std::move(state)) {}

  /// The next row; empty at the end. Throws `failure` as a query does: what came before is not all there is.
  task<std::optional<T>> next() { return next_of(this); }

 private:
  static task<std::optional<T>> next_of(row_stream* self) {
    if (self->at_ == self->some_.size()) {
      const auto rows = co_await detail::next_rows(self->state_);
      self->some_.clear();
      self->at_ = 0;
      if (!rows) co_return std::nullopt;
      self->some_ = data::rows_as<T>(*rows);
    }
    co_return std::move(self->some_[self->at_++]);
  }

  std::shared_ptr<detail::copy_state> state_;
  std::vector<T> some_;
  std::size_t at_ = 0;
};

namespace detail {
task<std::int64_t> copy_rows_in(std::shared_ptr<backend> to, std::string table, row_span rows);
task<copy_writer> begin_copy_in(std::shared_ptr<backend> to, data::statement what);
task<copy_reader> begin_copy_out(std::shared_ptr<backend> from, data::statement what);
task<std::shared_ptr<copy_state>> begin_rows_out(std::shared_ptr<backend> from, data::statement what);

template <class T>
task<row_stream<T>> stream_rows(std::shared_ptr<backend> from, data::statement what) {
  auto state = co_await begin_rows_out(std::move(from), std::move(what));
  co_return row_stream<T>(std::move(state));
}
}  // namespace detail

}  // namespace corbel::postgres
