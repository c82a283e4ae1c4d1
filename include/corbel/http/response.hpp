#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <corbel/base/byte_buffer.hpp>
#include <corbel/http/body_stream.hpp>
#include <corbel/http/field.hpp>
#include <corbel/http/status.hpp>

namespace corbel {

namespace detail {

/// A bit by which two names that are equal without case are equal, and most others differ: it spares a search
/// through the fields. `name` is not empty.
constexpr std::uint64_t name_bit(std::string_view name) noexcept {
  const auto fold = [](char c) { return static_cast<unsigned char>(c) | 0x20u; };
  return std::uint64_t{1} << ((name.size() * 5 + fold(name.front()) + fold(name.back()) * 3) % 64);
}

}  // namespace detail

/// Header fields already checked and written, to be put into many responses at the cost of a copy.
class header_block {
 public:
  /// Throws std::invalid_argument for a name or value that may not stand in a header.
  header_block& add(std::string_view name, std::string_view value);
  /// "Name: value\r\n" for each field.
  const std::string& text() const noexcept { return text_; }
  bool holds(std::string_view name) const noexcept;

 private:
  friend class response;
  std::string text_;
  std::uint64_t names_ = 0;  // name_bit of each
};

/// Header fields that responses refer to in place of copying them: for what is settled at the start and sent
/// with most responses. They are kept for the life of the process, once for each text.
class standing_headers {
 public:
  explicit standing_headers(const header_block& fields);

 private:
  friend class response;
  const header_block* block_;
};

/// One response. Content-Length, Date, Connection and Transfer-Encoding are the server's to write; `set` and
/// `add` refuse them.
class response {
 public:
  response() = default;
  explicit response(corbel::status s) : status_(s) {}

  corbel::status status() const noexcept { return status_; }
  response& status(corbel::status s) & noexcept {
    status_ = s;
    return *this;
  }

  /// Sets or replaces a field. Throws std::invalid_argument when `name` is no token, when `value` holds a
  /// control character (so no CR, LF or NUL ever reaches the wire), or when the server alone may write it.
  response& set(std::string_view name, std::string_view value) &;
  /// Adds a field beside others of its name, as Set-Cookie needs. Throws as `set` does.
  response& add(std::string_view name, std::string_view value) &;
  /// Adds the fields of a block which this response does not already have.
  response& add(const header_block& block) &;
  response& add(const standing_headers& fields) &;
  response& remove(std::string_view name) &;
  /// The first field of that name.
  std::optional<std::string_view> header(std::string_view name) const;
  /// All fields as they go on the wire: "Name: value\r\n" each.
  std::string_view header_text() const {
    settle();
    return headers_.view();
  }

  const std::string& body() const noexcept { return body_; }
  /// Replaces the body and its Content-Type, which must be a valid field value.
  response& body(std::string_view content, std::string_view content_type) &;
  /// The body to append to in place; it keeps its capacity from one response to the next.
  std::string& body_buffer() noexcept { return body_; }

  /// Replaces the body by one that is produced while it is sent, and its Content-Type. `made.produce` runs
  /// once the head is on its way, so an exception in there can only cut the connection: refuse before. It
  /// does not run for HEAD, nor for a status that has no body.
  response& stream(std::string_view content_type, streamed_body made) &;
  response& stream(std::string_view content_type, body_producer produce) & {
    return stream(content_type, streamed_body{std::move(produce)});
  }
  /// Null when the body is `body()`.
  const streamed_body* streams() const noexcept { return stream_.get(); }
  /// Puts another producer in place of the present one, such as a compressor around it.
  void replace_stream(streamed_body made);

  /// The connection ends after this response.
  bool closes() const noexcept { return closes_; }
  void close() noexcept { closes_ = true; }

  /// Back to an empty 200, keeping what capacity most responses need.
  void clear() noexcept;

 private:
  friend class response_access;
  void add_missing(std::string_view lines);
  /// Copies the fields that are only referred to, for whoever wants to look at single ones.
  void settle() const {
    if (!standing_) return;
    headers_.append(standing_->text());
    standing_ = nullptr;
  }
  void reset() noexcept;
  void take(response&& made);

  corbel::status status_ = corbel::status::ok;
  bool closes_ = false;
  std::uint64_t names_ = 0;  // name_bit of every field, and perhaps of some that were removed
  std::size_t laid_ = 0;     // bytes at the head of headers_ that a handler's answer does not replace
  mutable byte_buffer headers_;
  mutable const header_block* standing_ = nullptr;  // more fields, behind those
  std::string body_;
  std::shared_ptr<const streamed_body> stream_;
};

/// A body of text/plain in UTF-8.
response text_response(std::string_view content, status s = status::ok);
/// A redirect to `location`, a valid field value.
response redirect(std::string_view location, status s = status::see_other);

}  // namespace corbel
