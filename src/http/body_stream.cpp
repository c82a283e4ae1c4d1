#include "corbel/http/body_stream.hpp"

namespace corbel {

error client_gone() {
  return {error_kind::client_closed_request, "client_gone",
          "The client closed the connection before all was said."};
}

bool is_client_gone(const error& thrown) noexcept {
  return thrown.code() == "client_gone";
}

}  // namespace corbel
