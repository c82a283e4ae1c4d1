#include "corbel/base/json/reader.hpp"

#include <algorithm>
#include <cstring>

#include "base/json/key_set.hpp"
#include "base/json/plain_run.hpp"
#include "base/json/utf8.hpp"

namespace corbel::json {
namespace {

constexpr std::size_t most_depth = 1000;

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

}  // namespace

std::string_view noun(value_kind kind) noexcept {
  switch (kind) {
    case value_kind::object: return "an object";
    case value_kind::array: return "an array";
    case value_kind::string: return "a string";
    case value_kind::number: return "a number";
    case value_kind::boolean: return "a boolean";
    case value_kind::null: return "null";
    case value_kind::none: break;
  }
  return "nothing";
}

reader::reader(std::string_view text, limits limit) noexcept
    : begin_(text.data()),
      at_(begin_),
      end_(begin_ + text.size()),
      key_at_(begin_),
      most_depth_(std::min(limit.depth, most_depth)) {}

void reader::skip_space() noexcept {
  while (at_ != end_ && is_space(*at_)) ++at_;
}

bool reader::fail(const char* where, const char* expected) noexcept {
  if (!expected_) {
    expected_ = expected;
    error_offset_ = static_cast<std::size_t>(where - begin_);
  }
  return false;
}

void reader::back_to(const place& there) noexcept {
  at_ = there.at;
  depth_ = there.depth;
  fresh_ = there.fresh;
}

error reader::malformed() const {
  const std::string byte = std::to_string(error_offset_);
  const char* what = expected_ ? expected_ : "a value";
  return corbel::malformed("The JSON text is malformed at byte " + byte + " (counted from 0): expected " +
                               what + (begin_ + error_offset_ == end_ ? ", but the text ends there." : "."),
                           "malformed_json")
      .detail("byte", byte);
}

value_kind reader::peek() noexcept {
  if (failed()) return value_kind::none;
  skip_space();
  if (at_ != end_) switch (*at_) {
      case '{': return value_kind::object;
      case '[': return value_kind::array;
      case '"': return value_kind::string;
      case 't':
      case 'f': return value_kind::boolean;
      case 'n': return value_kind::null;
      case '-': return value_kind::number;
      default:
        if (*at_ >= '0' && *at_ <= '9') return value_kind::number;
    }
  fail(at_, "a value");
  return value_kind::none;
}

bool reader::begin_object() noexcept {
  if (peek() != value_kind::object) return fail(at_, "an object");
  if (depth_ == most_depth_) return fail(at_, "no deeper nesting than the limit allows");
  ++depth_;
  ++at_;
  fresh_ = true;
  return true;
}

bool reader::begin_array() noexcept {
  if (peek() != value_kind::array) return fail(at_, "an array");
  if (depth_ == most_depth_) return fail(at_, "no deeper nesting than the limit allows");
  ++depth_;
  ++at_;
  fresh_ = true;
  return true;
}

bool reader::member(std::string_view& key) {
  if (failed()) return false;
  skip_space();
  const bool first = std::exchange(fresh_, false);
  if (at_ != end_ && *at_ == '}') {
    ++at_;
    --depth_;
    return false;
  }
  if (!first) {
    if (at_ == end_ || *at_ != ',') return fail(at_, "',' or '}'");
    ++at_;
    skip_space();
  }
  if (at_ == end_ || *at_ != '"')
    return fail(at_, first ? "a member name in double quotes, or '}'" : "a member name in double quotes");
  key_at_ = at_;
  if (!quoted(key, key_scratch_)) return false;
  skip_space();
  if (at_ == end_ || *at_ != ':') return fail(at_, "':'");
  ++at_;
  return true;
}

bool reader::element() noexcept {
  if (failed()) return false;
  skip_space();
  const bool first = std::exchange(fresh_, false);
  if (at_ != end_ && *at_ == ']') {
    ++at_;
    --depth_;
    return false;
  }
  if (first) return true;
  if (at_ == end_ || *at_ != ',') return fail(at_, "',' or ']'");
  ++at_;
  return true;
}

bool reader::duplicate_key() noexcept {
  return fail(key_at_, "a member name that this object does not have yet");
}

bool reader::string(std::string_view& out) {
  if (peek() != value_kind::string) return fail(at_, "a string");
  return quoted(out, scratch_);
}

bool reader::quoted(std::string_view& out, std::string& scratch) {
  const char* const from = ++at_;
  for (;;) {
    at_ = skip_plain(at_, end_);
    if (at_ == end_) return fail(at_, "the '\"' that ends the string");
    if (*at_ == '"') {
      out = {from, static_cast<std::size_t>(at_ - from)};
      ++at_;
      return true;
    }
    if (*at_ == '\\') return escaped(from, out, scratch);
    if (static_cast<unsigned char>(*at_) < 0x20) return fail(at_, "control characters to be escaped");
    const std::size_t length = utf8_length(at_, end_);
    if (!length) return fail(at_, "valid UTF-8");
    at_ += length;
  }
}

/// The rest of a string from its first escape on, which cannot be a view into the text.
bool reader::escaped(const char* from, std::string_view& out, std::string& scratch) {
  scratch.assign(from, at_);
  for (;;) {
    const char* const run = at_;
    at_ = skip_plain(at_, end_);
    scratch.append(run, at_);
    if (at_ == end_) return fail(at_, "the '\"' that ends the string");
    if (*at_ == '"') {
      ++at_;
      out = scratch;
      return true;
    }
    if (*at_ == '\\') {
      if (!escape(scratch)) return false;
      continue;
    }
    if (static_cast<unsigned char>(*at_) < 0x20) return fail(at_, "control characters to be escaped");
    const std::size_t length = utf8_length(at_, end_);
    if (!length) return fail(at_, "valid UTF-8");
    scratch.append(at_, length);
    at_ += length;
  }
}

bool reader::escape(std::string& scratch) {
  const char* const start = at_++;
  if (at_ == end_) return fail(at_, "the rest of an escape");
  const char letter = *at_;
  switch (letter) {
    case '"':
    case '\\':
    case '/': scratch.push_back(letter); break;
    case 'b': scratch.push_back('\b'); break;
    case 'f': scratch.push_back('\f'); break;
    case 'n': scratch.push_back('\n'); break;
    case 'r': scratch.push_back('\r'); break;
    case 't': scratch.push_back('\t'); break;
    case 'u': break;
    default: return fail(at_, "one of the escapes \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u");
  }
  ++at_;
  if (letter != 'u') return true;
  std::uint32_t point = 0;
  if (!four_hex(point)) return false;
  if (point >= 0xdc00 && point < 0xe000) return fail(start, "no low surrogate without a high one before it");
  if (point >= 0xd800 && point < 0xdc00) {
    constexpr const char* half = "the low surrogate \\uDC00-\\uDFFF behind this high one";
    if (end_ - at_ < 2) return fail(end_ - at_ == 1 && *at_ != '\\' ? start : end_, half);
    if (at_[0] != '\\' || at_[1] != 'u') return fail(start, half);
    at_ += 2;
    std::uint32_t low = 0;
    if (!four_hex(low)) return false;
    if (low < 0xdc00 || low > 0xdfff) return fail(start, half);
    point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
  }
  append_utf8(scratch, point);
  return true;
}

bool reader::four_hex(std::uint32_t& out) noexcept {
  out = 0;
  for (int i = 0; i < 4; ++i, ++at_) {
    if (at_ == end_) return fail(at_, "a hexadecimal digit");
    const char c = *at_;
    std::uint32_t digit = 0;
    if (c >= '0' && c <= '9')
      digit = static_cast<std::uint32_t>(c - '0');
    else if (c >= 'a' && c <= 'f')
      digit = static_cast<std::uint32_t>(c - 'a') + 10;
    else if (c >= 'A' && c <= 'F')
      digit = static_cast<std::uint32_t>(c - 'A') + 10;
    else
      return fail(at_, "a hexadecimal digit");
    out = out << 4 | digit;
  }
  return true;
}

bool reader::word(std::string_view text) noexcept {
  for (const char c : text) {
    if (at_ == end_ || *at_ != c) return fail(at_, "true, false or null");
    ++at_;
  }
  return true;
}

bool reader::boolean(bool& out) noexcept {
  if (peek() != value_kind::boolean) return fail(at_, "true or false");
  out = *at_ == 't';
  return word(out ? "true" : "false");
}

bool reader::null() noexcept {
  if (peek() != value_kind::null) return fail(at_, "null");
  return word("null");
}

bool reader::skip() {
  switch (peek()) {
    case value_kind::object: {
      key_set keys;
      std::string_view key;
      if (!begin_object()) return false;
      while (member(key)) {
        if (!keys.insert(key)) return duplicate_key();
        if (!skip()) return false;
      }
      return !failed();
    }
    case value_kind::array:
      if (!begin_array()) return false;
      while (element())
        if (!skip()) return false;
      return !failed();
    case value_kind::string: {
      std::string_view ignored;
      return string(ignored);
    }
    case value_kind::number: {
      json::number ignored;
      return number(ignored);
    }
    case value_kind::boolean: {
      bool ignored;
      return boolean(ignored);
    }
    case value_kind::null: return null();
    case value_kind::none: break;
  }
  return false;
}

bool reader::finish() noexcept {
  if (failed()) return false;
  skip_space();
  return at_ == end_ || fail(at_, "nothing behind the value");
}

}  // namespace corbel::json
