#include "corbel/data/postgres/notifications.hpp"

#include <algorithm>

#include "data/postgres/backend.hpp"
#include "data/postgres/names.hpp"
#include "data/postgres/notification_hub.hpp"
#include "data/postgres/notifications.hpp"

namespace corbel::postgres {
namespace {

constexpr std::size_t most_payload = 7999;  // of pg_notify

task<heard> next_of(std::shared_ptr<detail::subscription> mine) {
  while (mine->buffered.empty()) {
    if (mine->ended) throw failure(*mine->ended);
    co_await notification_hub::wait(mine);
  }
  auto first = std::move(mine->buffered.front());
  mine->buffered.pop_front();
  co_return first;
}

}  // namespace

notification_stream::notification_stream(std::shared_ptr<detail::subscription> mine,
                                         std::weak_ptr<notification_hub> hub) noexcept
    : mine_(std::move(mine)), hub_(std::move(hub)) {}

notification_stream::~notification_stream() {
  if (!mine_) return;
  if (const auto hub = hub_.lock()) hub->remove(mine_);
}

task<heard> notification_stream::next() {
  return next_of(mine_);
}

task<notification_stream> listen_on(std::shared_ptr<backend> to, std::vector<std::string> channels,
                                    std::size_t most_buffered) {
  if (to->state()->how.transaction_pooler)
    throw failure(
        error{error_kind::invalid, "session_needed",
              "LISTEN needs a session of its own, which a pooler with pool_mode = transaction does not "
              "give: open a database for it that connects to Postgres itself, without "
              "pooler=transaction."});
  if (channels.empty())
    throw failure(error{error_kind::invalid, "bad_name", "Name at least one channel to listen to."});
  for (const auto& one : channels) (void)quoted_name(one, "a channel");
  const auto home = co_await to->here();
  const auto hub = home->notifications();
  auto mine = std::make_shared<detail::subscription>();
  mine->channels = std::move(channels);
  std::sort(mine->channels.begin(), mine->channels.end());
  mine->channels.erase(std::unique(mine->channels.begin(), mine->channels.end()), mine->channels.end());
  mine->most_buffered = std::max<std::size_t>(most_buffered, 1);
  notification_stream stream(mine, hub);
  hub->add(mine);
  while (!mine->established && !mine->ended) co_await notification_hub::wait(mine);
  if (mine->ended) throw failure(*mine->ended);
  co_return stream;
}

task<void> notify_on(data::source on, std::string channel, std::string payload) {
  require_postgres(on.language().name, "NOTIFY");
  (void)quoted_name(channel, "a channel");
  if (payload.size() > most_payload)
    throw failure(
        error{error_kind::invalid, "payload_too_long",
              "A notification's payload has at most 7999 bytes: store the data, and send its key."});
  co_await on.execute("select pg_catalog.pg_notify($1, $2)", channel, payload);
}

}  // namespace corbel::postgres
