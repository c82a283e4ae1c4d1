#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <corbel/app/app_settings.hpp>
#include <corbel/app/inject.hpp>
#include <corbel/health/health.hpp>
#include <corbel/http/services.hpp>
#include <corbel/routing/router.hpp>
#include <corbel/runtime/task.hpp>

namespace boost::asio {
class io_context;
}

namespace corbel {

/// The mistakes in an application's wiring, all of them, each with the way to mend it.
class wiring_error : public std::runtime_error {
 public:
  explicit wiring_error(std::vector<std::string> mistakes);
  const std::vector<std::string>& mistakes() const noexcept { return mistakes_; }

 private:
  std::vector<std::string> mistakes_;
};

/// The composition root: `main` puts the parts together here, and nothing registers itself. Several apps may
/// live in one process. Everything up to the start happens on one thread.
class app {
 public:
  app();
  explicit app(app_settings settings);
  /// An app that runs must have been stopped.
  ~app();
  app(const app&) = delete;
  app& operator=(const app&) = delete;

  // Routes and middleware: see routing/router.hpp.
  route_group routes() noexcept;
  route_group group(std::string_view prefix) { return routes().group(prefix); }
  template <class F>
  route get(std::string_view path, F f) {
    return routes().get(path, std::move(f));
  }
  template <class F>
  route post(std::string_view path, F f) {
    return routes().post(path, std::move(f));
  }
  template <class F>
  route put(std::string_view path, F f) {
    return routes().put(path, std::move(f));
  }
  template <class F>
  route patch(std::string_view path, F f) {
    return routes().patch(path, std::move(f));
  }
  template <class F>
  route del(std::string_view path, F f) {
    return routes().del(path, std::move(f));
  }
  /// A layer around every response, refusals of unreadable requests included.
  template <class M>
  app& use(M m) {
    routes().use(std::move(m));
    return *this;
  }

  /// Gives handlers a `state<T>`: borrowed (it must outlive the app) or shared.
  template <class T>
  app& provide(T& object) {
    note_provided(provided().provide(object), detail::name_of_type<T>());
    return *this;
  }
  template <class T>
  app& provide(std::shared_ptr<T> object) {
    note_provided(provided().provide(std::move(object)), detail::name_of_type<T>());
    return *this;
  }
  /// Refused at compile time: the object would be gone when this returns.
  template <class T>
  requires detail::is_temporary<T> app& provide(T&&) {
    detail::refuse_temporary<T>();
    return *this;
  }

  /// A part that is started before the app listens, in the order of these calls, and stopped in reverse when
  /// the last request is answered. Either action may be empty.
  app& component(std::string name, std::function<task<>()> start, std::function<task<>()> stop = {});
  app& on_start(std::string name, std::function<task<>()> start) {
    return component(std::move(name), std::move(start));
  }

  /// Called once the app listens, with the URL it is reached at, such as "http://127.0.0.1:8080"; for a word
  /// to whoever started it. Not by `inject`.
  app& on_listening(std::function<void(const std::string& url)> tell);

  /// What `/health` and `/readyz` look at.
  corbel::health& health() noexcept;
  const logger& log() const noexcept;
  /// The time that the whole service goes by: give it to what keeps time, such as a repository.
  const corbel::clock& clock() const noexcept;

  /// Serves until SIGINT or SIGTERM, then drains: `/readyz` says 503, it stops listening, answers what is in
  /// flight, stops the components. A second signal ends it at once. Raises the process's limit of open files
  /// to what it may have. Takes a service manager's sockets, and hands its own over to the next process if
  /// `handover_socket` says so: docs/operations.md. Returns the program's exit code: 0; 78 when the wiring or
  /// the settings are wrong; 1 when a component or the port could not be had. Says why on standard error.
  int run();

  /// Serves on a context that the host program owns and runs from one thread. Throws `wiring_error`; any
  /// other failure comes with `started`, which runs on the context once the app listens, or will not: then
  /// the components are stopped again.
  void start(boost::asio::io_context& host, std::function<void(std::exception_ptr)> started);
  /// Drains and stops the components; `stopped` runs on the context when all is over. To be called from
  /// there, also before `started` has run: then what was started is stopped at once.
  void stop(std::function<void()> stopped);

  /// Reads the TLS certificates again; see server.hpp. To be called on the thread that runs the app's first
  /// loop, or the host's context. `run` does so on SIGHUP.
  bool reload_certificates();

  /// The port it listens on; 0 before it does.
  std::uint16_t port() const noexcept;
  /// "GET /api/v1/projects/:id", a line for each route.
  std::vector<std::string> list_routes() const;
  /// The same as values, each with its summary.
  std::vector<route_info> route_table() const;

  /// Runs one request through the whole pipeline, without a socket, and waits for the response. The first
  /// call starts the components; the app's end stops them. Throws `wiring_error`. Not while `run` or `start`
  /// are in use.
  injected_response inject(const injected_request& request);

 private:
  struct impl;
  services& provided() noexcept;
  void note_provided(bool fresh, std::string_view name);

  std::unique_ptr<impl> impl_;
};

}  // namespace corbel
