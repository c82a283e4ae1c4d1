#include "corbel/middleware/access_log.hpp"

#include "corbel/observe/log.hpp"

namespace corbel {

void access_log::after(const request& in, response& out) const {
  const auto code = static_cast<int>(out.status());
  const auto level = code >= 500 ? log_level::error : code >= 400 ? log_level::warn : log_level::info;
  in.log().write(level, "request",
                 {{"method", in.method_name()},
                  {"path", in.path()},
                  {"status", code},
                  {"durationMs", in.elapsed()},
                  {"bytes", out.body().size()},
                  {"client", in.client()}});
}

}  // namespace corbel
