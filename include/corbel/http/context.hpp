#pragma once

#include <corbel/base/clock.hpp>
#include <corbel/http/services.hpp>
#include <corbel/observe/log.hpp>

namespace corbel {

/// What every request of an application shares. Settled before the start, read by all threads after it.
struct app_context {
  const corbel::clock* time = &system_clock();
  corbel::logger log;
  corbel::services provided;
};

}  // namespace corbel
