#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <pqxx/pqxx>

#include <corbel/data/postgres/blocking.hpp>
#include <corbel/data/postgres/database.hpp>

/// Runs existing libpqxx code on a connection of Corbel's: `co_await pg.with_connection(&monthly_report,
/// 2026)`.
///
/// Include it where you call it, and link libpqxx: nothing else of Corbel needs either. libpqxx 6.4 and 7 do.
namespace corbel::postgres {

namespace detail {

class pqxx_session final : public blocking_session {
 public:
  static std::unique_ptr<blocking_session> open(const std::string& conninfo) {
    return std::make_unique<pqxx_session>(conninfo);
  }
  inline static const char kind = 0;

  explicit pqxx_session(const std::string& conninfo) : connection_(conninfo) {
#if PQXX_VERSION_MAJOR < 7
    // Version 6 would open a broken connection again by itself, without the settings of its session.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    connection_.inhibit_reactivation(true);
#pragma GCC diagnostic pop
#endif
  }

  pqxx::connection& get() noexcept {
    return connection_;
  }

  void cancel() noexcept override {
    try {
      connection_.cancel_query();
    } catch (const std::exception&) {
      // The server cannot be reached: then there is nothing to stop.
    }
  }
  int descriptor() noexcept override {
    return connection_.sock();
  }
  bool reset() override {
    if (!connection_.is_open()) return false;
    pqxx::nontransaction all(connection_);
    // Silent where no transaction was left open; it fails in one that failed.
    all.exec("SET client_min_messages = error; ROLLBACK");
    all.exec(reset_session);
#if PQXX_VERSION_MAJOR >= 7
    all.exec("DEALLOCATE ALL");
#endif
    return true;
  }

 private:
  pqxx::connection connection_;
};

/// What libpqxx threw, as the driver's errors; what is none of libpqxx's passes.
template <class Work>
void map_pqxx_errors(Work work) {
  try {
    work();
  } catch (const pqxx::in_doubt_error& e) {
    throw corbel::failure(broken_error(e.what(), true));
  } catch (const pqxx::broken_connection& e) {
    throw corbel::failure(broken_error(e.what(), false));
  } catch (const pqxx::serialization_failure& e) {
    throw corbel::failure(reported_error("40001", e.what(), {}));
  } catch (const pqxx::deadlock_detected& e) {
    throw corbel::failure(reported_error("40P01", e.what(), {}));
  } catch (const pqxx::sql_error& e) {
    throw corbel::failure(reported_error(std::string(e.sqlstate()), e.what(), std::string(e.query())));
  }
}

template <class Result, class F, class... Args>
struct pqxx_work final : blocking_work {
  using stored = std::conditional_t<std::is_void_v<Result>, std::monostate, Result>;

  explicit pqxx_work(F f, Args... a) : call(std::move(f)), args(std::move(a)...) {}

  void run(blocking_session& on) override {
    map_pqxx_errors([&] {
      auto& connection = static_cast<pqxx_session&>(on).get();
      std::apply(
          [&](Args&... each) {
            if constexpr (std::is_void_v<Result>)
              std::invoke(call, connection, std::move(each)...);
            else
              value.emplace(std::invoke(call, connection, std::move(each)...));
          },
          args);
    });
  }

  F call;
  std::tuple<Args...> args;
  std::optional<stored> value;
};

inline std::unique_ptr<blocking_session> open_pqxx(const std::string& conninfo) {
  std::unique_ptr<blocking_session> made;
  map_pqxx_errors([&] { made = pqxx_session::open(conninfo); });
  return made;
}

template <class Result, class F, class... Args>
task<Result> run_pqxx(postgres::database on, std::shared_ptr<pqxx_work<Result, F, Args...>> work) {
  session_maker how;
  how.kind = &pqxx_session::kind;
  how.open = &open_pqxx;
  co_await run_blocking(on, how, work);
  if constexpr (!std::is_void_v<Result>) co_return std::move(*work->value);
}

}  // namespace detail

template <class F, class... Args>
auto database::with_connection(F&& fn, Args&&... args) const {
  corbel::detail::name_it_first<F, Args...>();
  using call = std::decay_t<F>;
  static_assert(
      std::is_invocable_v<call&, pqxx::connection&, std::decay_t<Args>&&...>,
      "corbel: with_connection takes a function of pqxx::connection& and then the further arguments");
  using result = std::invoke_result_t<call&, pqxx::connection&, std::decay_t<Args>&&...>;
  static_assert(!std::is_reference_v<result> && !is_task<result>,
                "corbel: the function of with_connection blocks a thread of its own and gives a value");
  auto work = std::make_shared<detail::pqxx_work<result, call, std::decay_t<Args>...>>(
      std::forward<F>(fn), std::forward<Args>(args)...);
  return detail::run_pqxx<result, call, std::decay_t<Args>...>(*this, std::move(work));
}

}  // namespace corbel::postgres
