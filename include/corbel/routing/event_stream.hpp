#pragma once

#include <corbel/http/event_stream.hpp>
#include <corbel/routing/extract.hpp>
#include <corbel/routing/reply.hpp>

namespace corbel {

template <>
struct reply<event_stream> {
  static void write(const request& in, response& out, event_stream&& value);
};

template <>
struct extractor<last_event_id> {
  static result<last_event_id> extract(const request& in);
};

}  // namespace corbel
