#include "data/postgres/replica_watch.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "corbel/data/postgres/errors.hpp"

namespace corbel::postgres {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto check_every = 200ms;
/// While a read waits for a replica to catch up with what was just seen of the primary.
constexpr auto check_again_after = 5ms;
/// What was learned longer ago says nothing of now.
constexpr auto stale_after = 1200ms;
/// Who has not answered by then is not waited for.
constexpr auto answer_within = 300ms;

constexpr auto ask_primary = "select pg_current_wal_flush_lsn()::text";
constexpr auto ask_replica = "select coalesce(pg_last_wal_replay_lsn(), '0/0')::text";
/// The newest timeline that it is known to follow. Its own memory is not to be had: the log that arrives
/// names it to those with the rights of pg_read_all_stats, and the disk, after the next restartpoint, to
/// everybody.
constexpr auto ask_replica_timeline =
    "select coalesce(pg_last_wal_replay_lsn(), '0/0')::text, "
    "greatest((pg_control_checkpoint()).timeline_id, (pg_control_recovery()).min_recovery_end_timeline, "
    "(select received_tli from pg_stat_wal_receiver))";

log_position position_in(const data::result_set& rows) {
  const auto text = rows.at(0, 0);
  const auto* written = std::get_if<std::string_view>(&text);
  auto found = written ? parse_log_position(*written) : std::nullopt;
  if (!found) throw failure(internal_error("the server gave a log position that is none"));
  if (rows.column_count() > 1) {
    const auto timeline = rows.at(0, 1);
    if (const auto* n = std::get_if<std::int64_t>(&timeline))
      found->timeline = static_cast<std::uint32_t>(*n);
  }
  return *found;
}

}  // namespace

replica_watch::replica_watch(event_loop& loop, const std::weak_ptr<backend>& primary,
                             const std::vector<std::shared_ptr<backend>>& replicas)
    : loop_(loop) {
  primary_.at = primary;
  for (const auto& one : replicas) replicas_.emplace_back().at = one;
}

void replica_watch::look() {
  const auto now = steady::now();
  look_at(primary_, check_every, now);
  for (auto& one : replicas_) {
    const bool moved = !one.lost && breaks_of(one) != one.breaks;
    look_at(one, moved ? steady::duration::zero() : check_every, now);
  }
}

bool replica_watch::may_learn(const read_policy& policy) {
  const auto now = steady::now();
  bool open = false;
  for (const auto& one : replicas_) {
    const auto found = judge(one, policy, now);
    if (found == verdict::fits) return false;
    open = open || found == verdict::open;
  }
  if (open)
    for (auto& one : replicas_)
      if (is_fresh(one, now)) look_at(one, check_again_after, now);
  return open;
}

std::vector<std::shared_ptr<backend>> replica_watch::choose(const read_policy& policy) {
  const auto now = steady::now();
  std::vector<std::shared_ptr<backend>> chosen;
  // In turn, so that they share the work.
  ++turn_;
  for (std::size_t i = 0; i < replicas_.size(); ++i) {
    const auto& one = replicas_[(turn_ + i) % replicas_.size()];
    if (judge(one, policy, now) != verdict::fits) continue;
    if (auto there = one.at.lock()) chosen.push_back(std::move(there));
  }
  auto primary = primary_.at.lock();
  if (primary && (policy.fall_back || replicas_.empty())) chosen.push_back(std::move(primary));
  return chosen;
}

void replica_watch::lose(const backend& gone) {
  for (auto& one : replicas_)
    if (one.at.lock().get() == &gone) one.lost = true;
}

bool replica_watch::is_same(const backend& asked) const {
  return std::any_of(replicas_.begin(), replicas_.end(), [&](const server& one) {
    return one.at.lock().get() == &asked && !one.lost && breaks_of(one) == one.breaks;
  });
}

std::size_t replica_watch::breaks_of(const server& one) const {
  const auto there = one.at.lock();
  return there ? shared_state::pool_on(there->state(), loop_)->breaks() : 0;
}

bool replica_watch::is_fresh(const server& one, steady::time_point now) const {
  return !one.lost && now - one.answered_at < stale_after && breaks_of(one) == one.breaks;
}

/// Whether it is worth a wait: one that was lost is back when it is back, and others serve meanwhile.
bool replica_watch::is_open(const server& one, const read_policy& policy, steady::time_point now) const {
  return !is_fresh(one, now) && one.checking && now - one.asked_at < answer_within &&
         (!one.lost || !policy.fall_back);
}

replica_watch::verdict replica_watch::judge(const server& one, const read_policy& policy,
                                            steady::time_point now) const {
  if (is_open(one, policy, now)) return verdict::open;
  if (!is_fresh(one, now)) return verdict::does_not;
  if (policy.after) {
    // One that could not follow a new primary may have more of the old one's log.
    if (one.replayed.timeline < policy.after->timeline) return verdict::does_not;
    if (one.replayed.value < policy.after->value) return verdict::does_not;
  }
  if (policy.max_lag.count() <= 0) return verdict::fits;
  const auto lag = written_.of(one.replayed, one.began_at, now);
  if (lag.most <= policy.max_lag) return verdict::fits;
  if (is_open(primary_, policy, now)) return verdict::open;
  // Nobody asked for a while: it lacks what was written just now, and that alone makes it look old.
  const bool unseen = lag.least <= policy.max_lag && lag.unseen > 2 * check_every;
  return unseen && is_fresh(primary_, now) ? verdict::open : verdict::does_not;
}

void replica_watch::look_at(server& one, steady::duration again_after, steady::time_point now) {
  if (one.checking || now - one.asked_at < again_after) return;
  auto there = one.at.lock();
  if (!there) return;
  one.checking = true;
  one.asked_at = now;
  asio::co_spawn(loop_.context(), check(weak_from_this(), &one, std::move(there), &one == &primary_),
                 asio::detached);
}

/// `one` is touched only while the watch is there.
task<void> replica_watch::check(std::weak_ptr<replica_watch> weak, server* one, std::shared_ptr<backend> at,
                                bool is_primary) {
  std::optional<log_position> found;
  const auto began_at = one->asked_at;
  bool refused = false;
  try {
    data::statement where(is_primary            ? ask_primary
                          : one->tells_timeline ? ask_replica_timeline
                                                : ask_replica,
                          {});
    const auto rows = co_await at->run(std::move(where));
    found = position_in(*rows);
  } catch (const failure& f) {
    const auto* said = report_of(f.error());
    refused = said && said->sql_state == "42501";
  } catch (const std::exception&) {
    // It is not there, or no longer what it was: then it is not asked.
  }
  const auto self = weak.lock();
  if (!self) co_return;
  one->checking = false;
  if (refused && !is_primary) one->tells_timeline = false;
  one->lost = !found;
  if (!found) co_return;
  one->answered_at = steady::now();
  one->began_at = began_at;
  one->replayed = *found;
  one->breaks = self->breaks_of(*one);
  if (is_primary) self->written_.add(began_at, *found);
}

}  // namespace corbel::postgres
