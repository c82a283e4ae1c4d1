#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <corbel/base/result.hpp>
#include <corbel/data/database.hpp>

/// SQLite behind `corbel::data`: link `corbel::sqlite`.
///
/// One connection writes and several read, each statement on a thread of a pool of its own, so no event loop
/// ever blocks. The file is in WAL mode: readers see the last commit and never wait for the writer.
namespace corbel::sqlite {

enum class synchronous_mode : std::uint8_t {
  off,     ///< a power cut may destroy the file
  normal,  ///< a power cut may lose the last commits, a crash of the program loses nothing
  full,    ///< what was committed survives a power cut
  extra,
};

struct options {
  /// Relative to the working directory. Ignored when `in_memory`.
  std::string path;
  /// Has one connection, which everyone shares: statements wait while a transaction is open.
  bool in_memory = false;
  synchronous_mode synchronous = synchronous_mode::full;
  /// How long a writer waits for another process that writes.
  std::chrono::milliseconds busy_timeout{5000};
  /// How long a statement waits for a connection of the pool before it is `unavailable`.
  std::chrono::milliseconds checkout_timeout{5000};
  /// Connections, and threads, for reading: 1 to 64.
  std::size_t readers = 4;
  /// Statements that may wait for a connection; the next one is `unavailable` at once.
  std::size_t most_waiting = 1024;
  /// Prepared statements kept by each connection.
  std::size_t statement_cache = 128;
};

/// Reads `sqlite:projects.db`, `sqlite:/absolute/path.db` or `sqlite::memory:`, each with any of
/// `?synchronous=off|normal|full|extra`, `busy_timeout=5s`, `checkout_timeout=5s`, `readers=4`,
/// `most_waiting=1024`, `statement_cache=128`. Durations are numbers with ms, s or m. `%xx` in the path is
/// decoded. The error says what is allowed.
result<options> parse_url(std::string_view url);

/// Opens the file, which is made when it is missing. Blocks shortly. Throws `failure`, with a message for the
/// operator, when it cannot be opened.
data::database open(options how);
data::database open(std::string_view url);

/// For `data::connect(url, {sqlite::driver()})`.
data::driver driver();

}  // namespace corbel::sqlite
