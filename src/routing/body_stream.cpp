#include "corbel/routing/body_stream.hpp"

namespace corbel {

task<std::string_view> body_stream::read() {
  if (auto* source = in_->arriving()) return source->read();
  return [](std::string_view whole) -> task<std::string_view> {
    co_return whole;
  }(std::exchange(given_, true) ? std::string_view{} : in_->body());
}

task<std::string> body_stream::read_all() {
  std::string all;
  for (auto piece = co_await read(); !piece.empty(); piece = co_await read()) all += piece;
  co_return all;
}

}  // namespace corbel
