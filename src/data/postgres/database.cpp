#include "corbel/data/postgres/database.hpp"

#include "data/postgres/acting.hpp"
#include "data/postgres/backend.hpp"
#include "data/postgres/notifications.hpp"
#include "data/postgres/replicas.hpp"
#include "data/postgres/upkeep.hpp"
#include "data/run_now.hpp"

namespace corbel::postgres {
namespace {

std::shared_ptr<backend> backend_of(const data::database& any) {
  if (auto found = std::dynamic_pointer_cast<backend>(any.runner())) return found;
  throw failure(error{error_kind::invalid, "postgres_needed",
                      "This program needs Postgres, but its database is " + std::string(any.language().name) +
                          ". Give it a DATABASE_URL that begins with postgres://."});
}

}  // namespace

database::database(const data::database& any) : data::database(any), backend_(backend_of(any)) {}

data::source database::as(identity who) const {
  return data::source(std::make_shared<acting>(backend_, std::move(who)));
}

data::source database::replicas(read_policy policy) const {
  return data::source(std::make_shared<replica_reads>(backend_, policy));
}

task<log_position> database::position() const {
  return [](std::shared_ptr<postgres::backend> on) -> task<log_position> {
    // The name of a file of the log begins with its timeline.
    data::statement where(
        "select lsn::text || '@' || ('x' || substr(pg_walfile_name(lsn), 1, 8))::bit(32)::int "
        "from pg_current_wal_insert_lsn() lsn",
        {});
    const auto rows = co_await on->run(std::move(where));
    const auto text = data::one_as<std::string>(*rows);
    const auto read = parse_log_position(text.value_or(""));
    if (!read) throw failure(internal_error("the server gave a log position that is none"));
    co_return *read;
  }(backend_);
}

task<notification_stream> database::listen(std::vector<std::string> channels,
                                           std::size_t most_buffered) const {
  return listen_on(backend_, std::move(channels), most_buffered);
}

task<void> database::notify(std::string channel, std::string payload) const {
  return notify_on(*this, std::move(channel), std::move(payload));
}

task<void> database::notify(data::transaction& tx, std::string channel, std::string payload) const {
  return notify_on(tx, std::move(channel), std::move(payload));
}

task<void> database::refresh(std::string view, bool concurrently) const {
  return refresh_on(*this, std::move(view), concurrently);
}

task<void> database::refresh_every(std::string view, refresh_schedule how) const {
  return refresh_for_ever(*this, data::database(backend_->leads()), std::move(view), std::move(how));
}

task<void> database::require_extension(std::string name) const {
  return require_extension_on(*this, std::move(name));
}

void database::require_extension_now(std::string name) const {
  auto asked = [](data::database on, std::string what) -> task<int> {
    co_await require_extension_on(on, std::move(what));
    co_return 0;
  };
  (void)data::detail::run_now(asked(*this, std::move(name)));
}

}  // namespace corbel::postgres
