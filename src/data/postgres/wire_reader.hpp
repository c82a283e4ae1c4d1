#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string_view>

namespace corbel::postgres {

/// Stands where a value has its length, when there is no value.
inline constexpr std::uint32_t null_length = 0xffff'ffff;

/// The server sent what the protocol does not know: the connection is of no more use.
struct protocol_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Reads the fields of one message of the backend, in order. Throws `protocol_error` where one is missing.
class field_reader {
 public:
  explicit field_reader(std::string_view payload) : rest_(payload) {}

  std::uint8_t byte() { return static_cast<std::uint8_t>(take(1)[0]); }
  std::uint16_t u16() {
    const auto b = take(2);
    return static_cast<std::uint16_t>(at(b, 0) << 8 | at(b, 1));
  }
  std::uint32_t u32() {
    const auto b = take(4);
    return at(b, 0) << 24 | at(b, 1) << 16 | at(b, 2) << 8 | at(b, 3);
  }
  std::string_view take(std::size_t count) {
    if (count > rest_.size()) throw protocol_error("a message ends before its fields do");
    const auto front = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return front;
  }
  /// Up to the next NUL.
  std::string_view text() {
    const auto end = rest_.find('\0');
    if (end == std::string_view::npos) throw protocol_error("a text in a message has no end");
    const auto front = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return front;
  }
  std::string_view rest() const noexcept { return rest_; }

 private:
  static std::uint32_t at(std::string_view bytes, std::size_t i) {
    return static_cast<unsigned char>(bytes[i]);
  }
  std::string_view rest_;
};

/// One message, a view into the bytes it was read from.
struct wire_message {
  char type;
  std::string_view payload;
};

/// A message longer than this is taken for nonsense; Postgres itself stops at 1 GiB.
inline constexpr std::uint32_t most_message_bytes = 0x4000'0000;

/// The length of the message that begins here with its type: empty when its head is not all there. Throws
/// `protocol_error` for a length that cannot be.
inline std::optional<std::size_t> message_size(std::string_view bytes) {
  if (bytes.size() < 5) return {};
  const std::uint32_t length = field_reader(bytes.substr(1)).u32();
  if (length < 4 || length > most_message_bytes) throw protocol_error("a message has an impossible length");
  return std::size_t{length} + 1;
}

/// Takes the first message from `bytes`; empty when it is not all there.
inline std::optional<wire_message> take_message(std::string_view& bytes) {
  const auto size = message_size(bytes);
  if (!size || *size > bytes.size()) return {};
  const wire_message taken{bytes[0], bytes.substr(5, *size - 5)};
  bytes.remove_prefix(*size);
  return taken;
}

}  // namespace corbel::postgres
