#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <corbel/base/error.hpp>
#include <corbel/base/json/limits.hpp>

namespace corbel::json {

/// What the next value is, told by its first byte.
enum class value_kind : std::uint8_t { none, object, array, string, number, boolean, null };

/// "an object", "a string", "null" ...: how a sentence calls a value of the kind.
std::string_view noun(value_kind kind) noexcept;

/// A JSON number, exactly. `3.0` and `1e2` are integers, as JSON Schema sees them since draft 6.
struct number {
  bool integral = false;  ///< has no fraction
  bool huge = false;      ///< integral, and its magnitude exceeds 2^64-1; only `value` tells it then
  bool negative = false;  ///< of the integral; zero may be
  bool plain = false;     ///< written with neither a dot nor an exponent
  std::uint64_t magnitude = 0;
  double value = 0;  ///< the nearest double; finite
};

/// A strict pull reader of one JSON text (RFC 8259): UTF-8 only, no lone surrogates, no duplicate keys, no
/// number beyond a double's range, nothing but white space after the value. It allocates only for strings
/// with escapes. The caller asks `peek`, then reads or skips the value; every function returns false once the
/// text proved malformed, and `malformed()` says where. The text must outlive the reader.
class reader {
 public:
  explicit reader(std::string_view text, limits limit = {}) noexcept;

  /// Looks at the next value without reading it; `none` (and an error) where no value begins.
  value_kind peek() noexcept;

  /// Objects: `begin_object`, then `member` until it gives false; `failed()` tells the end from an error.
  /// The value of each member must be read or skipped. The key's view holds until the next call of `member`
  /// at any level. The caller refuses duplicates by `key_set` or in its own way, and calls `duplicate_key`.
  bool begin_object() noexcept;
  bool member(std::string_view& key);
  /// Arrays alike: the value after each true `element` must be read or skipped.
  bool begin_array() noexcept;
  bool element() noexcept;

  /// The view holds until the next `string` or `skip`, and points into the text when there was no escape.
  bool string(std::string_view& out);
  bool number(json::number& out) noexcept;
  bool boolean(bool& out) noexcept;
  bool null() noexcept;
  /// Reads past any value, checking it in full.
  bool skip();
  /// After the value: whether only white space is left.
  bool finish() noexcept;

  bool failed() const noexcept { return expected_ != nullptr; }
  /// Refuses the key that `member` gave last. Always false.
  bool duplicate_key() noexcept;
  /// The offset of the first byte that cannot stand in valid JSON; of the first byte of a whole for bad
  /// UTF-8, a lone surrogate, a duplicate key or a number too large; the size for a text that ends early.
  /// Meaningful once `failed()`.
  std::size_t error_offset() const noexcept { return error_offset_; }
  /// An `error_kind::malformed` with a sentence and the detail "byte".
  error malformed() const;

  /// Remembers a place to come back to. Nothing read after it may be open when coming back.
  struct place {
    const char* at;
    std::size_t depth;
    bool fresh;
  };
  place here() const noexcept { return {at_, depth_, fresh_}; }
  void back_to(const place& there) noexcept;

 private:
  void skip_space() noexcept;
  bool fail(const char* where, const char* expected) noexcept;
  bool quoted(std::string_view& out, std::string& scratch);
  bool escaped(const char* from, std::string_view& out, std::string& scratch);
  bool escape(std::string& scratch);
  bool four_hex(std::uint32_t& out) noexcept;
  bool word(std::string_view text) noexcept;
  bool fraction(json::number& out, const char* start) noexcept;

  const char* const begin_;
  const char* at_;
  const char* const end_;
  const char* key_at_;
  std::size_t depth_ = 0;
  const std::size_t most_depth_;
  bool fresh_ = false;  // right behind a '{' or '['
  const char* expected_ = nullptr;
  std::size_t error_offset_ = 0;
  std::string scratch_;
  std::string key_scratch_;
};

}  // namespace corbel::json
