#pragma once

#include <exception>
#include <string>

namespace corbel {

/// What an exception says of itself. `thrown` holds one.
inline std::string exception_text(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an exception that is no std::exception";
  }
}

}  // namespace corbel
