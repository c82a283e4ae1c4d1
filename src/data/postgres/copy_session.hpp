#pragma once

#include <memory>
#include <string>

#include "corbel/data/postgres/blocking.hpp"
#include "data/postgres/columns.hpp"
#include "data/postgres/link.hpp"

struct pg_result;

namespace corbel::postgres {

/// A connection that libpq blocks on, for COPY. Every function throws `failure`.
class copy_session final : public detail::blocking_session {
 public:
  static detail::session_maker maker(const options& how);

  explicit copy_session(pg_conn* handle);
  ~copy_session() override;

  void cancel() noexcept override;
  int descriptor() noexcept override;
  bool reset() override;

  /// Statements that give no rows that matter.
  void run(const std::string& sql);
  /// Begins a transaction in which no statement has a limit of time: behind a pooler it keeps what is set,
  /// and what is prepared, on one session, and leaves nothing there. The end of the copy commits it.
  void begin();
  /// The columns of a query, without running it.
  columns describe(const std::string& sql);
  /// What the parameters of a query are: their array types, 0 for what is no array.
  std::vector<std::uint32_t> array_parameters(const std::string& sql);
  /// What a table has for these columns: their array types, 0 for what is no array.
  std::vector<std::uint32_t> array_types(const std::string& table, const std::vector<std::string>& names);

  void begin_in(const std::string& sql);
  void send(std::string_view piece);
  /// The number of rows.
  std::int64_t finish_in();

  void begin_out(const std::string& sql);
  /// Appends one row, as it came; false at the end.
  bool receive(std::string& into);

 private:
  struct result_deleter {
    void operator()(pg_result* r) const noexcept;
  };
  using result_ptr = std::unique_ptr<pg_result, result_deleter>;

  [[noreturn]] void fail(const pg_result* result, const std::string& sql);
  result_ptr check(pg_result* result, int expected, const std::string& sql);
  std::string cause() const;
  bool is_array_of_users(std::uint32_t type);
  void drain();
  void commit();

  pg_conn* handle_;
  canceller stop_;
  std::string sql_;
};

}  // namespace corbel::postgres
