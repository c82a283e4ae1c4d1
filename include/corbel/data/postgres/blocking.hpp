#pragma once

#include <memory>
#include <string>

#include <corbel/base/error.hpp>
#include <corbel/runtime/task.hpp>

/// What `with_connection` and COPY stand on: connections of libraries that block, kept beside the driver's
/// own and used on threads of their own. `pqxx.hpp` is what users include.
namespace corbel::postgres {

class database;

namespace detail {

/// Takes from a session what its user may have left there.
inline constexpr const char* reset_session =
    "SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; CLOSE ALL; SELECT pg_advisory_unlock_all(); "
    "DISCARD SEQUENCES; DISCARD TEMP";

/// A connection of a library that blocks. Used on one thread at a time.
class blocking_session {
 public:
  virtual ~blocking_session() = default;
  /// Stops what it runs on the server. From any thread, also while it is used, and for as long as it takes.
  virtual void cancel() noexcept = 0;
  virtual int descriptor() noexcept = 0;
  /// Leaves it as a new one; false, or an exception, when it is of no more use: then it is cancelled.
  virtual bool reset() = 0;
};

/// One library.
struct session_maker {
  const void* kind;  ///< another for each
  std::unique_ptr<blocking_session> (*open)(const std::string& conninfo);
};

/// Work for a session; it outlives a caller that was cancelled, and owns all it touches.
struct blocking_work {
  virtual ~blocking_work() = default;
  virtual void run(blocking_session& on) = 0;
};

/// Takes a session, waiting at most `checkout_timeout`, and runs the work on it. Cancelling ends the wait at
/// once, stops the SQL, and lets what the work would still send fail.
task<void> run_blocking(const postgres::database& on, session_maker how, std::shared_ptr<blocking_work> work);

/// The driver's error for one that another library caught: its SQLSTATE, what it says (and, behind "DETAIL:",
/// what libpq added) and the SQL.
error reported_error(std::string state, const std::string& what, const std::string& sql);
/// For a connection that broke; `in_doubt` when a COMMIT was under way.
error broken_error(const std::string& what, bool in_doubt);

}  // namespace detail
}  // namespace corbel::postgres
