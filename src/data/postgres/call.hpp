#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/recycled.hpp"
#include "corbel/data/driver.hpp"
#include "data/postgres/rows.hpp"
#include "runtime/suspended.hpp"

namespace corbel::postgres {

using steady = std::chrono::steady_clock;

/// What several calls that one coroutine waits for share.
struct gathering : boost::intrusive_ref_counter<gathering, boost::thread_unsafe_counter> {
  std::unique_ptr<corbel::detail::suspended> waiter;
  std::size_t left = 0;
};

/// SQL of our own that runs in front of a statement, in one batch with it: when it fails, so does the
/// statement, without having run.
struct prelude {
  std::string sql;
  std::vector<data::value> values;
};

/// One statement on its way: in the pool's queue, then on a connection, then done. It lives on one loop.
struct call final : boost::intrusive_ref_counter<call, boost::thread_unsafe_counter>,
                    corbel::detail::recycled<call> {
  explicit call(data::statement s) : what(std::move(s)) {}

  // What an answer touches comes first: by then the object has left the processor's caches, as hundreds of
  // others may wait with it.
  std::unique_ptr<rows> result;
  std::unique_ptr<error> failed;
  boost::intrusive_ptr<gathering> together;
  std::unique_ptr<corbel::detail::suspended> waiter;

  bool abandoned = false;  ///< nobody waits any more
  bool alone = false;      ///< shares its Sync with no other statement
  bool queued = false;
  /// The batch before it began a transaction of the statement's own, to be committed behind it.
  bool commit_behind = false;
  /// Runs as somebody else than our own role: what is denied is denied to them.
  bool acts = false;
  /// Several statements by the simple protocol.
  bool script = false;
  /// Has no meaning outside of the transaction that its session began.
  bool in_transaction = false;
  /// No deadline of its own: migrations, and the wait for their lock.
  bool patient = false;
  int resent = 0;  ///< was hit by the cancellation of another one, or its plan had grown old
  steady::time_point queued_at{};

  data::statement what;
  std::vector<prelude> before;
  /// For calls that no coroutine waits for.
  std::function<void(call&)> when_done;

  void fail(error why) { failed = std::make_unique<error>(std::move(why)); }
  bool done() const noexcept { return result || failed; }
};
using call_ptr = boost::intrusive_ptr<call>;

}  // namespace corbel::postgres
