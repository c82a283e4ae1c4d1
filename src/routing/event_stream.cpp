#include "corbel/routing/event_stream.hpp"

namespace corbel {

void reply<event_stream>::write(const request&, response& out, event_stream&& value) {
  out.set("Cache-Control", "no-store");
  if (value.stops()) {
    out.status(status::no_content);
    return;
  }
  out.set("X-Accel-Buffering", "no");  // nginx, and others that follow it, would collect events
  out.stream("text/event-stream", value.body());
}

result<last_event_id> extractor<last_event_id>::extract(const request& in) {
  last_event_id made;
  if (const auto id = in.header("Last-Event-ID")) made.value = std::string(*id);
  return made;
}

}  // namespace corbel
