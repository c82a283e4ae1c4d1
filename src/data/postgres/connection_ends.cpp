// How statements are stopped, and how a connection ends.
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <tuple>

#include "data/postgres/connection.hpp"

namespace corbel::postgres {

using namespace std::chrono_literals;

namespace {

/// A statement that runs as long holds up what stands behind it: nothing more is sent there.
constexpr auto slow = 10ms;
/// How long a server may be silent beyond the time that a statement has.
constexpr auto grace = 1s;
/// A server that does not stop a statement within this time is taken for lost.
constexpr auto cancel_patience = 2s;
constexpr auto control_patience = 10s;
/// One that nobody uses and that gives no sign of life is replaced. Statements that come meanwhile have
/// nowhere to go when all are like that, and must not give up before it is.
constexpr auto ping_patience = 2s;

}  // namespace

void connection::start_head(steady::time_point now) {
  auto& head = units_.front();
  head.started = now;
  if (cancelling_) head.maybe_hit = true;
  if (may_cancel(head) && !head.cancel_asked) {
    head.cancel_asked = true;
    if (!cancelling_) {
      cancelling_ = true;
      cancel_since_ = now;
      owner_.cancel_on_server(*this);
    }
  }
}

/// Not what stands in front of a transaction that began meanwhile: it would be hit in its place.
bool connection::may_cancel(const unit& head) const noexcept {
  const bool of_its_user = head.call && (head.call->in_transaction || head.call->patient);
  return head.any_abandoned() && head.what != unit::kind::commit && (!exclusive || of_its_user);
}

bool connection::unit::is_quick() const noexcept {
  const auto quick = [](const postgres::plan& of) { return of.usual.count() > 0 && of.usual < 1ms; };
  if (what != kind::statement) return what != kind::script;
  return quick(*plan) && std::all_of(sharing.begin(), sharing.end(),
                                     [&](const statement_call& one) { return quick(*one.plan); });
}

bool connection::suits_transaction() const noexcept {
  return !cancelling_ && held_.empty() && std::all_of(units_.begin(), units_.end(), [](const unit& u) {
    return u.is_quick() && !u.any_abandoned() && !u.maybe_hit;
  });
}

/// Its rows are of no use any more. What a cancellation hits in its place runs again.
void connection::stop_head() {
  auto& head = units_.front();
  if (cancelling_ || head.cancel_asked) return;
  head.cancel_asked = true;
  cancelling_ = true;
  cancel_since_ = steady::now();
  owner_.cancel_on_server(*this);
}

void connection::abandon(call& what) {
  what.abandoned = true;
  if (units_.empty() || !units_.front().holds(what)) return;
  const auto since = units_.front().started;
  start_head(steady::now());
  units_.front().started = since;
}

void connection::cancel_ended() {
  cancelling_ = false;
  if (broken_) return;
  send_held();
  if (units_.empty()) return owner_.on_progress(*this);
  // The server may be ahead of what has been read here: it hit something that was sent by now.
  for (auto& u : units_) u.maybe_hit = true;
  auto& head = units_.front();
  // The wish may have come before the statement began: once more, if it is still there.
  if (may_cancel(head) && steady::now() - cancel_since_ < cancel_patience) {
    head.cancel_asked = false;
    const auto since = std::pair(cancel_since_, head.started);
    start_head(since.first);
    std::tie(cancel_since_, head.started) = since;
  }
}

bool connection::is_slow(steady::time_point now) const noexcept {
  if (units_.empty()) return false;
  const auto& head = units_.front();
  return now - head.started > slow || (head.plan && head.plan->usual > slow);
}

void connection::check_deadlines(steady::time_point now) {
  if (broken_) return;
  if (cancelling_ && units_.empty() && now - cancel_since_ > cancel_patience)
    return break_off("a cancellation did not come to an end");
  if (units_.empty()) return;
  const auto& head = units_.front();
  if (head.cancel_asked && now - cancel_since_ > cancel_patience)
    return break_off("the server did not stop a statement that was cancelled");
  const bool nobody_waits = head.what == unit::kind::ping && units_.size() == 1 && held_.empty();
  steady::duration limit = nobody_waits ? ping_patience : control_patience;
  // Preparing may wait for a lock, within the time of the statement that is prepared.
  const auto* whose = head.call                     ? head.call.get()
                      : head.plan && !held_.empty() ? held_.front().call.get()
                                                    : nullptr;
  if (whose) {
    if (whose->patient || how_.statement_timeout.count() == 0) return;
    limit = how_.statement_timeout;
    // Behind a pooler the server knows no limit.
    if (how_.transaction_pooler && !head.cancel_asked && now - head.started > limit) {
      units_.front().cancel_asked = true;
      cancelling_ = true;
      cancel_since_ = now;
      return owner_.cancel_on_server(*this);
    }
    limit += grace;
  }
  if (now - std::max(head.started, last_heard_) > limit) break_off("the server fell silent");
}

bool connection::still_there() {
  char byte = 0;
  const auto got = ::recv(socket_->descriptor(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
  // TLS may have something of its own to say, such as a session ticket; or it is a last word.
  if (got > 0 && socket_->encrypted()) take_all();
  return got > 0 && !broken_;
}

void connection::break_off(std::string why) {
  if (broken_) return;
  broken_ = true;
  if (watched_) loop_.descriptors().remove(socket_->descriptor(), *this);
  watched_ = false;
  socket_.reset();

  std::vector<call_ptr> unsent;
  const auto give_back = [&](call_ptr one) {
    if (one->abandoned) return;
    if (!one->in_transaction && !one->patient) return unsent.push_back(std::move(one));
    fail_call(*one, connection_error("the transaction's connection broke: " + why));
    end_call(std::move(one));
  };
  // What stands behind a statement that the server died of was never looked at.
  bool untouched = false;
  beginning_ = settling_ = sharing_ = 0;
  for (auto& u : std::exchange(units_, {})) {
    if (!u.call) continue;
    auto& c = *u.call;
    const bool fatal = u.failed && is_fatal(*u.failed) && u.tag.empty() && u.what != unit::kind::commit;
    if (u.what == unit::kind::statement && c.commit_behind) {
      // Its COMMIT follows and decides.
      if (untouched || u.begins_at >= sent_) continue;
      if (fatal || !u.answered) untouched = untouched || fatal;
      if (fatal) fail_call(c, to_error(std::move(*u.failed), u.plan->text));
      continue;
    }
    if (c.failed) {
      end_call(std::move(u.call));
      continue;
    }
    c.result.reset();  // it did not come to its Sync
    for (auto& one : u.sharing) one.call->result.reset();
    if (untouched || u.begins_at >= sent_) {
      give_back(std::move(u.call));
      for (auto& one : u.sharing) give_back(std::move(one.call));
      continue;
    }
    // They only read, and none of them has ended: whoever waits may ask again.
    for (auto& one : u.sharing) {
      if (one.call->abandoned) continue;
      fail_call(*one.call, connection_error("the connection broke: " + why));
      end_call(std::move(one.call));
    }
    if (u.refused)
      fail_call(c, std::move(*u.refused));
    else if (fatal)
      fail_call(c, to_error(std::move(*u.failed), u.plan ? u.plan->text : std::string()));
    else if (u.what == unit::kind::commit || (!c.in_transaction && u.plan && !u.plan->kind.only_reads))
      fail_call(c, unknown_outcome("the connection broke: " + why));
    else
      fail_call(c, connection_error("the connection broke: " + why));
    untouched = untouched || fatal;
    end_call(std::move(u.call));
  }
  for (auto& one : std::exchange(held_, {}))
    if (one.call) give_back(std::move(one.call));
  owner_.on_broken(*this, std::move(unsent), why);
}

}  // namespace corbel::postgres
