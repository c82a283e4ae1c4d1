#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "corbel/app/app.hpp"
#include "corbel/http/context.hpp"
#include "corbel/runtime/event_loop.hpp"
#include "corbel/runtime/lifecycle.hpp"
#include "corbel/server/server.hpp"

namespace corbel {

struct app::impl {
  explicit impl(app_settings s);

  /// Ends the wiring, once. Throws wiring_error.
  void build();
  /// To be called when the server has started.
  void tell_listening() const;
  /// Behind `start`: tells how it went, and stops if that was asked for meanwhile.
  void has_started(std::exception_ptr failed, app& self, std::function<void(std::exception_ptr)> told);
  /// Stops what was started, and logs what did not stop.
  task<> stop_components();
  /// Stops the components on the host's context, then lets go of that context.
  void end_host(std::function<void()> ended);

  class one_run;  // of run()

  app_settings settings;
  app_context context;
  corbel::health health;
  corbel::router router;
  corbel::lifecycle lifecycle;
  std::vector<std::string> mistakes;
  std::vector<std::function<void(const std::string& url)>> listening;
  bool built = false;
  std::unique_ptr<corbel::server> server;
  std::unique_ptr<event_loop> host_loop;             // of start()
  bool starting = false;                             // start() has not told its outcome yet
  std::function<void()> stop_wanted;                 // by a stop() meanwhile
  std::unique_ptr<boost::asio::io_context> injects;  // of inject()
};

}  // namespace corbel
