#include "http/coding/limited_decoder.hpp"

namespace corbel::coding {
namespace {

error broken() {
  return malformed(
      "The body is not what its Content-Encoding says: it is broken, cut short, or has bytes behind its end.",
      "malformed_encoding");
}

}  // namespace

result<bool> limited_decoder::take(std::string_view& in, std::string& out, std::size_t room) {
  // One byte past the limit tells that it is passed.
  const auto left = limits_.bytes - made_;
  const auto most = room <= left ? room : static_cast<std::size_t>(left) + 1;
  const auto given = in.size();
  const auto before = out.size();
  const auto came = decoder_.take(in, out, most);
  taken_ += given - in.size();
  made_ += out.size() - before;
  if (came == decoded::broken) return broken();
  if (made_ > limits_.bytes)
    return error(error_kind::payload_too_large, "payload_too_large",
                 "The body is larger than " + std::to_string(limits_.bytes) + " bytes when it is decoded.");
  if (made_ > limits_.free_bytes && made_ / limits_.ratio > taken_)
    return error(error_kind::payload_too_large, "encoding_ratio",
                 "The body grows to more than " + std::to_string(limits_.ratio) +
                     " times its size when it is decoded; send it without Content-Encoding.");
  ended_ = came == decoded::ended;
  return came == decoded::full;
}

result<void> limited_decoder::finish() const {
  if (!ended_) return broken();
  return {};
}

}  // namespace corbel::coding
