#include "data/postgres/replicas.hpp"

#include <algorithm>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>

#include "data/postgres/errors.hpp"
#include "data/postgres/replica_watch.hpp"

namespace corbel::postgres {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

/// How long a read waits for what is not known of the servers yet.
constexpr auto first_look = 300ms;

}  // namespace

std::string to_text(log_position at) {
  char room[20];
  auto end = std::to_chars(room, room + 8, at.value >> 32, 16).ptr;
  *end++ = '/';
  end = std::to_chars(end, room + sizeof room, at.value & 0xffff'ffff, 16).ptr;
  std::transform(room, end, room, [](char c) { return c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c; });
  std::string text(room, end);
  if (at.timeline != 0) text += '@' + std::to_string(at.timeline);
  return text;
}

std::optional<log_position> parse_log_position(std::string_view text) noexcept {
  const auto half = [](std::string_view digits) -> std::optional<std::uint64_t> {
    std::uint32_t n = 0;
    const auto end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, n, 16);
    if (read.ec != std::errc{} || read.ptr != end) return {};
    return n;
  };
  log_position found;
  if (const auto at = text.find('@'); at != std::string_view::npos) {
    const auto* end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + at + 1, end, found.timeline);
    if (read.ec != std::errc{} || read.ptr != end || found.timeline == 0) return {};
    text = text.substr(0, at);
  }
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return {};
  const auto high = half(text.substr(0, slash));
  const auto low = half(text.substr(slash + 1));
  if (!high || !low) return {};
  found.value = *high << 32 | *low;
  return found;
}

replica_set::replica_set(std::weak_ptr<backend> primary, std::vector<std::shared_ptr<backend>> replicas)
    : primary_(std::move(primary)), replicas_(std::move(replicas)) {}

std::shared_ptr<replica_watch> replica_set::watch_on(const asio::any_io_executor& here) {
  auto& loop = loop_of(here);
  if (auto* const kept = watches_.find(loop)) return kept->shared_from_this();
  auto made = std::make_shared<replica_watch>(loop, primary_, replicas_);
  (void)watches_.keep(loop, made);
  return made;
}

task<std::vector<std::shared_ptr<backend>>> replica_set::candidates(read_policy policy) {
  const auto executor = co_await asio::this_coro::executor;
  const auto watch = watch_on(executor);
  watch->look();
  const auto give_up = steady::now() + first_look;
  asio::steady_timer pause(executor);
  while (watch->may_learn(policy) && steady::now() < give_up) {
    pause.expires_after(2ms);
    co_await pause.async_wait(asio::use_awaitable);
  }
  co_return watch->choose(policy);
}

task<bool> replica_set::is_same(std::shared_ptr<backend> server) {
  const auto executor = co_await asio::this_coro::executor;
  co_return watch_on(executor)->is_same(*server);
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

/// On the primary, too, a read does not write, such as by a function that it calls.
task<std::unique_ptr<data::result_set>> replica_reads::run_on(std::shared_ptr<postgres::backend> server,
                                                              data::statement what) {
  if (server != primary_) co_return co_await server->run(std::move(what));
  std::vector<prelude> before{{"BEGIN READ ONLY", {}}};
  try {
    co_return co_await server->run_between(std::move(before), std::move(what), false);
  } catch (const failure& f) {
    if (f.error().code() != "commit_unknown") throw;
    throw failure(connection_error(f.error().cause()));  // nothing was to be kept
  }
}

task<std::unique_ptr<data::result_set>> replica_reads::run(data::statement what) {
  // Said here, because the primary, where reads may go as well, would do it.
  if (!classify(what.text()).only_reads)
    throw failure(
        internal_error("replicas only read: run this on the database itself: " + std::string(what.text())));
  const auto servers = co_await all_->candidates(policy_);
  std::optional<error> failed;
  for (const auto& one : servers) {
    std::unique_ptr<data::result_set> rows;
    std::optional<error> wrong;
    try {
      auto again = what;
      rows = co_await run_on(one, std::move(again));
    } catch (const failure& f) {
      wrong = f.error();
    }
    const bool known = co_await knows(one);
    if (known && !wrong) co_return rows;
    if (wrong && known && !may_go_elsewhere(*wrong)) throw failure(std::move(*wrong));
    failed = std::move(wrong);
    co_await all_->lost(one);
  }
  if (!failed) throw failure(none_fits());
  throw failure(std::move(*failed));
}

/// Whether what was known of a server when it was chosen holds for the connection that it answered on.
task<bool> replica_reads::knows(std::shared_ptr<postgres::backend> server) {
  if (!policy_.after || server == primary_) co_return true;
  co_return co_await all_->is_same(std::move(server));
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
      auto begun = co_await one->begin(mode);
      const bool known = co_await knows(one);
      if (known) co_return begun;
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
