#include "data/postgres/replicas.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <deque>

namespace corbel::postgres {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto check_every = 200ms;
/// What was learned longer ago says nothing of now.
constexpr auto stale_after = 1200ms;
/// How long a read waits for the first look at the servers.
constexpr auto first_look = 300ms;

}  // namespace

std::string to_text(log_position at) {
  char room[20];
  auto end = std::to_chars(room, room + 8, at.value >> 32, 16).ptr;
  *end++ = '/';
  end = std::to_chars(end, room + sizeof room, at.value & 0xffff'ffff, 16).ptr;
  std::transform(room, end, room, [](char c) { return c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c; });
  return {room, end};
}

std::optional<log_position> parse_log_position(std::string_view text) noexcept {
  const auto half = [](std::string_view digits) -> std::optional<std::uint64_t> {
    std::uint32_t n = 0;
    const auto end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, n, 16);
    if (read.ec != std::errc{} || read.ptr != end) return {};
    return n;
  };
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return {};
  const auto high = half(text.substr(0, slash));
  const auto low = half(text.substr(slash + 1));
  if (!high || !low) return {};
  return log_position{*high << 32 | *low};
}

/// What one loop knows of the servers.
class replica_watch : public std::enable_shared_from_this<replica_watch> {
 public:
  struct server {
    std::weak_ptr<backend> at;
    log_position replayed{};
    steady::time_point checked_at{};
    bool checking = false;
    bool lost = false;
  };

  replica_watch(event_loop& loop, std::shared_ptr<replica_set> of, const std::weak_ptr<backend>& primary,
                const std::vector<std::shared_ptr<backend>>& replicas)
      : loop_(loop), of_(std::move(of)) {
    primary_.at = primary;
    for (const auto& one : replicas) replicas_.emplace_back().at = one;
  }

  void look() {
    const auto now = steady::now();
    look_at(primary_, true, now);
    for (auto& one : replicas_) look_at(one, false, now);
  }

  bool knows_enough(steady::time_point now) const {
    return is_fresh(primary_, now) && std::any_of(replicas_.begin(), replicas_.end(),
                                                  [&](const server& one) { return is_fresh(one, now); });
  }

  std::vector<std::shared_ptr<backend>> choose(const read_policy& policy) {
    const auto now = steady::now();
    std::vector<std::shared_ptr<backend>> chosen;
    // In turn, so that they share the work.
    ++turn_;
    for (std::size_t i = 0; i < replicas_.size(); ++i) {
      const auto& one = replicas_[(turn_ + i) % replicas_.size()];
      if (one.lost || !is_fresh(one, now)) continue;
      if (policy.after && one.replayed < *policy.after) continue;
      if (policy.max_lag.count() > 0 && lag_of(one, now) > policy.max_lag) continue;
      if (auto open = one.at.lock()) chosen.push_back(std::move(open));
    }
    if (auto open = primary_.at.lock(); open && policy.fall_back) chosen.push_back(std::move(open));
    return chosen;
  }

  void lose(const backend& gone) {
    for (auto& one : replicas_)
      if (one.at.lock().get() == &gone) one.lost = true;
  }

 private:
  /// Where the primary was at a time.
  struct sample {
    steady::time_point at;
    log_position written;
  };

  static bool is_fresh(const server& one, steady::time_point now) {
    return now - one.checked_at < stale_after;
  }

  /// What it has replayed, the primary had written at a time that we saw: it is no further behind than that.
  steady::duration lag_of(const server& one, steady::time_point now) const {
    for (auto seen = samples_.rbegin(); seen != samples_.rend(); ++seen)
      if (seen->written <= one.replayed) return now - seen->at;
    return steady::duration::max();
  }

  void look_at(server& one, bool is_primary, steady::time_point now) {
    if (one.checking || now - one.checked_at < check_every) return;
    auto open = one.at.lock();
    if (!open) return;
    one.checking = true;
    asio::co_spawn(loop_.context(), check(weak_from_this(), &one, std::move(open), is_primary),
                   asio::detached);
  }

  /// `one` is touched only while the watch is there.
  static task<void> check(std::weak_ptr<replica_watch> weak, server* one, std::shared_ptr<backend> at,
                          bool is_primary) {
    const auto asked_at = steady::now();
    std::optional<log_position> found;
    try {
      data::statement where(is_primary ? "select pg_current_wal_flush_lsn()::text"
                                       : "select coalesce(pg_last_wal_replay_lsn(), '0/0')::text",
                            {});
      const auto rows = co_await at->run(std::move(where));
      const auto cell = rows->at(0, 0);
      if (const auto* text = std::get_if<std::string_view>(&cell)) found = parse_log_position(*text);
    } catch (const std::exception&) {
      // It is not there, or no longer what it was: then it is not asked.
    }
    const auto self = weak.lock();
    if (!self) co_return;
    one->checking = false;
    one->lost = !found;
    if (!found) co_return;
    one->checked_at = steady::now();
    one->replayed = *found;
    if (is_primary) self->remember({asked_at, *found});
  }

  void remember(sample seen) {
    samples_.push_back(seen);
    if (samples_.size() > 600) samples_.pop_front();  // two minutes
  }

  event_loop& loop_;
  const std::shared_ptr<replica_set> of_;  // its address is the key that this is found by
  server primary_;
  std::vector<server> replicas_;
  std::deque<sample> samples_;
  std::size_t turn_ = 0;
};

replica_set::replica_set(std::weak_ptr<backend> primary, std::vector<std::shared_ptr<backend>> replicas)
    : primary_(std::move(primary)), replicas_(std::move(replicas)) {}

std::shared_ptr<replica_watch> replica_set::watch_on(const asio::any_io_executor& here) {
  auto& context = asio::query(here, asio::execution::context);
  auto& loop = event_loop::of(static_cast<asio::io_context&>(context));
  auto& kept = loop.local(this);
  if (!kept) kept = std::make_shared<replica_watch>(loop, shared_from_this(), primary_, replicas_);
  return std::static_pointer_cast<replica_watch>(kept);
}

task<std::vector<std::shared_ptr<backend>>> replica_set::candidates(read_policy policy) {
  const auto executor = co_await asio::this_coro::executor;
  const auto watch = watch_on(executor);
  watch->look();
  if (replicas_.empty()) co_return watch->choose(policy);
  const auto give_up = steady::now() + first_look;
  asio::steady_timer pause(executor);
  while (!watch->knows_enough(steady::now()) && steady::now() < give_up) {
    pause.expires_after(2ms);
    co_await pause.async_wait(asio::use_awaitable);
  }
  co_return watch->choose(policy);
}

task<void> replica_set::lost(std::shared_ptr<backend> server) {
  const auto executor = co_await asio::this_coro::executor;
  watch_on(executor)->lose(*server);
}

void replica_set::stop() {
  for (const auto& one : replicas_) one->stop();
}

namespace {

/// A read on a replica did nothing that a second one would do again.
bool may_go_elsewhere(const error& failed) {
  return failed.kind() == error_kind::unavailable && failed.code() != "database_read_only";
}

error none_fits() {
  return unavailable("The data asked for are not at hand yet. Try again shortly.", "no_replica")
      .retry_after(std::chrono::seconds(1))
      .because("no replica answers that is recent enough, and the policy does not fall back to the primary");
}

}  // namespace

task<std::unique_ptr<data::result_set>> replica_reads::run(data::statement what) {
  // Said here, because the primary, where reads may go as well, would do it.
  if (!classify(what.text()).only_reads)
    throw failure(
        internal_error("replicas only read: run this on the database itself: " + std::string(what.text())));
  const auto servers = co_await all_->candidates(policy_);
  std::optional<error> failed;
  for (const auto& one : servers) {
    try {
      auto again = what;
      co_return co_await one->run(std::move(again));
    } catch (const failure& f) {
      if (!may_go_elsewhere(f.error())) throw;
      failed = f.error();
    }
    co_await all_->lost(one);
  }
  if (!failed) throw failure(none_fits());
  throw failure(std::move(*failed));
}

task<std::shared_ptr<data::session>> replica_reads::begin(data::transaction_mode mode) {
  if (mode.use != data::transaction_use::read)
    throw failure(internal_error(
        "a replica only reads: use transact_read_only here, or the database itself for what writes"));
  // A hot standby knows no serializable transactions; repeatable read is the same to a reader of one.
  if (mode.isolation == data::isolation::serializable) mode.isolation = data::isolation::repeatable_read;
  mode.deferrable = false;
  const auto servers = co_await all_->candidates(policy_);
  std::optional<error> failed;
  for (const auto& one : servers) {
    try {
      co_return co_await one->begin(mode);
    } catch (const failure& f) {
      if (!may_go_elsewhere(f.error())) throw;
      failed = f.error();
    }
    co_await all_->lost(one);
  }
  if (!failed) throw failure(none_fits());
  throw failure(std::move(*failed));
}

}  // namespace corbel::postgres
