#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "corbel/data/postgres/postgres.hpp"

struct pg_conn;
struct pg_cancel;
struct ssl_st;

namespace corbel::postgres {

/// Stops what a connection runs, by a connection of its own. May outlive the connection; used from any
/// thread.
class canceller {
 public:
  explicit canceller(pg_conn* of);
  ~canceller();
  canceller(const canceller&) = delete;
  canceller& operator=(const canceller&) = delete;

  /// Blocks until the server has passed the wish on; false when it could not be reached.
  bool cancel() const;

 private:
  pg_cancel* handle_;
};

/// A socket to the server that libpq has opened: found, encrypted, authenticated and set up. From there on
/// the bytes on it are ours; libpq keeps what it needs to close it.
class link {
 public:
  /// Blocks: looks names up, tries one host after another. Throws `failure` (unavailable), whose cause is
  /// what libpq says.
  static std::unique_ptr<link> open(const options& how);
  /// Over a socket that somebody else has connected, and that this closes: for tests. Nothing can be
  /// cancelled.
  static std::unique_ptr<link> over(int descriptor);
  ~link();
  link(const link&) = delete;
  link& operator=(const link&) = delete;

  int descriptor() const noexcept { return descriptor_; }
  bool encrypted() const noexcept { return tls_ != nullptr; }
  /// Whether TLS holds bytes that were taken from the socket already.
  bool has_pending() const noexcept;
  int server_version() const noexcept;  ///< 150003 for 15.3
  const std::shared_ptr<const canceller>& stop() const noexcept { return stop_; }

  enum class outcome : unsigned char { done, would_block, closed };
  struct moved {
    outcome how;
    std::size_t bytes;
  };
  /// Neither blocks.
  moved receive(char* into, std::size_t room);
  moved send(std::string_view bytes);

 private:
  explicit link(pg_conn* handle);
  explicit link(int descriptor);

  pg_conn* handle_;
  ssl_st* tls_;
  int descriptor_;
  std::shared_ptr<const canceller> stop_;
};

/// The keywords of libpq for a connection, without asking a server; throws `failure` (invalid) for ones that
/// libpq does not know.
void check_conninfo(const std::string& conninfo);

/// The same for a library that takes one text: keyword = value, quoted.
std::string conninfo_of(const options& how);

/// Conninfo with what every session of ours has: the encodings of values, timeouts, a name.
pg_conn* connect_blocking(const options& how);

}  // namespace corbel::postgres
