#pragma once

#include <string>
#include <utility>

#include <corbel/data/driver.hpp>

namespace corbel::data {

/// How `transact` runs its body: `db.transact(data::serializable().retry(5), &transfer, from, to, amount)`.
class transaction_options {
 public:
  transaction_options& read_only() {
    mode_.use = transaction_use::read;
    return *this;
  }
  transaction_options& at(isolation level) {
    mode_.isolation = level;
    return *this;
  }
  /// For a serializable reader: waits for a moment at which it cannot conflict, and then never fails.
  transaction_options& deferrable() {
    mode_.use = transaction_use::read;
    mode_.isolation = isolation::serializable;
    mode_.deferrable = true;
    return *this;
  }
  /// Declares that the body may run again: when the database undid the transaction because of others
  /// (`is_transient`), it is run anew with copies of its arguments, up to `attempts` times in all, each after
  /// a longer pause. Whatever the body does outside of the transaction is then done again, too. A nested
  /// transaction is tried once: let the error leave, and the outer one try again.
  transaction_options& retry(int attempts = 5) {
    attempts_ = attempts;
    return *this;
  }

  /// Makes the transaction happen once at most for this key, such as a request's `Idempotency-Key`: the key
  /// is stored with it, in the table `corbel_idempotency_keys` (key text primary key, attempt text not null).
  /// The same key again is a conflict, "idempotency_key_used"; one of more than 255 bytes is malformed, and
  /// an empty one is none. When the connection is lost at COMMIT, the key tells whether it was made: then the
  /// outcome is given as if nothing had happened, else the body may run again (`retry`).
  ///
  /// The key of a nested transaction is kept or undone with it and with the outer one. What came of a COMMIT
  /// that was lost is told by the outer one's key alone.
  transaction_options& once_for(std::string key) {
    key_ = std::move(key);
    return *this;
  }

  const transaction_mode& mode() const noexcept { return mode_; }
  int most_attempts() const noexcept { return attempts_; }
  const std::string& key() const noexcept { return key_; }

 private:
  transaction_mode mode_;
  int attempts_ = 1;
  std::string key_;
};

/// Transactions run as if one after another; one that cannot is undone with a transient error.
inline transaction_options serializable() {
  return transaction_options().at(isolation::serializable);
}
/// Every statement sees the database as it was at the first.
inline transaction_options repeatable_read() {
  return transaction_options().at(isolation::repeatable_read);
}

/// Whether the database undid a transaction because of others that ran beside it (SQLSTATE 40001, 40P01):
/// nothing of it is left, and the same may succeed when it is run again.
bool is_transient(const error& e) noexcept;

/// Whether the connection was lost while a change was being made durable: it may have been made, or not.
/// Look before you write again; the library never does, but for a transaction that is `once_for` a key.
bool is_commit_unknown(const error& e) noexcept;

/// Mixed into the origin of an error that `is_transient`.
struct transient_origin {
  virtual ~transient_origin() = default;
};

}  // namespace corbel::data
