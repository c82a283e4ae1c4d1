#include "corbel/http/response.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>

#include "http/response_access.hpp"

namespace corbel {
namespace {

struct line_range {
  std::size_t begin;
  std::size_t end;  ///< behind its CRLF
};

/// The next line named `name` at or after `from`.
std::optional<line_range> find_line(std::string_view text, std::string_view name, std::size_t from = 0) {
  while (from < text.size()) {
    const auto end = text.find('\n', from) + 1;
    if (from + name.size() < end && text[from + name.size()] == ':' &&
        iequals(text.substr(from, name.size()), name))
      return line_range{from, end};
    from = end;
  }
  return {};
}

bool is_framing(std::string_view name) {
  switch (name.size()) {
    case 4: return iequals(name, "Date");
    case 7: return iequals(name, "Trailer");
    case 10: return iequals(name, "Connection") || iequals(name, "Keep-Alive");
    case 14: return iequals(name, "Content-Length");
    case 17: return iequals(name, "Transfer-Encoding");
    default: return false;
  }
}

void check(std::string_view name, std::string_view value) {
  if (!is_token(name))
    throw std::invalid_argument(
        "a header name must be a token such as X-Total; letters, digits and -_.~!#$%&'*+^`| only");
  if (!is_field_value(value))
    throw std::invalid_argument(
        "the value of header " + std::string(name) +
        " holds a control character or a space at an end; remove it before setting the header");
  if (is_framing(name))
    throw std::invalid_argument("header " + std::string(name) +
                                " is written by the server alone; do not set it");
}

void append_line(byte_buffer& text, std::string_view name, std::string_view value) {
  const auto size = name.size() + value.size() + 4;
  char* at = text.room(size);
  at = std::copy(name.begin(), name.end(), at);
  *at++ = ':';
  *at++ = ' ';
  at = std::copy(value.begin(), value.end(), at);
  *at++ = '\r';
  *at = '\n';
  text.commit(size);
}

/// Whether `part` is a view into `text`, which would not survive a change of it.
bool is_within(std::string_view part, std::string_view text) {
  const std::less<const char*> before;
  return !part.empty() && !before(part.data(), text.data()) && before(part.data(), text.data() + text.size());
}

}  // namespace

header_block& header_block::add(std::string_view name, std::string_view value) {
  check(name, value);
  text_.append(name).append(": ").append(value).append("\r\n");
  names_ |= detail::name_bit(name);
  return *this;
}

bool header_block::holds(std::string_view name) const noexcept {
  return !name.empty() && (names_ & detail::name_bit(name)) != 0 && find_line(text_, name);
}

standing_headers::standing_headers(const header_block& fields) {
  static std::mutex guard;
  static std::map<std::string, header_block> all;
  const std::lock_guard lock(guard);
  block_ = &all.try_emplace(fields.text(), fields).first->second;
}

response& response::set(std::string_view name, std::string_view value) & {
  check(name, value);
  if (is_within(name, header_text()) || is_within(value, header_text()))
    return set(std::string(name), std::string(value));
  remove(name);
  names_ |= detail::name_bit(name);
  append_line(headers_, name, value);
  return *this;
}

response& response::add(std::string_view name, std::string_view value) & {
  check(name, value);
  if (is_within(name, header_text()) || is_within(value, header_text()))
    return add(std::string(name), std::string(value));
  names_ |= detail::name_bit(name);
  append_line(headers_, name, value);
  return *this;
}

response& response::add(const header_block& block) & {
  if ((names_ & block.names_) == 0) {
    headers_.append(block.text_);
    names_ |= block.names_;
  } else {
    add_missing(block.text_);
  }
  return *this;
}

response& response::add(const standing_headers& fields) & {
  if (standing_ || (names_ & fields.block_->names_) != 0) return add(*fields.block_);
  standing_ = fields.block_;
  names_ |= standing_->names_;
  return *this;
}

void response::add_missing(std::string_view lines) {
  settle();
  // Looked up against what stood here before, so that there may be several fields of one name.
  const std::size_t mine = headers_.size();
  for (std::size_t from = 0; from < lines.size();) {
    const auto end = lines.find('\n', from) + 1;
    const auto name = lines.substr(from, lines.find(':', from) - from);
    const auto bit = detail::name_bit(name);
    const auto there = names_ & bit ? find_line(header_text(), name) : std::nullopt;
    if (!there || there->begin >= mine) {
      headers_.append(lines.substr(from, end - from));
      names_ |= bit;
    }
    from = end;
  }
}

response& response::remove(std::string_view name) & {
  if (name.empty() || (names_ & detail::name_bit(name)) == 0) return *this;
  settle();
  for (auto found = find_line(header_text(), name); found;
       found = find_line(header_text(), name, found->begin)) {
    const auto size = found->end - found->begin;
    headers_.erase(found->begin, size);
    if (found->begin < laid_) laid_ -= size;
  }
  return *this;
}

void response::reset() noexcept {
  status_ = corbel::status::ok;
  standing_ = nullptr;
  headers_.truncate(laid_);
  body_.clear();
  stream_.reset();
}

void response::take(response&& made) {
  const auto lines = made.header_text();
  settle();
  headers_.truncate(laid_);
  for (std::size_t from = 0; from < lines.size() && laid_ != 0; from = lines.find('\n', from) + 1) {
    const auto name = lines.substr(from, lines.find(':', from) - from);
    if (!iequals(name, "Set-Cookie")) remove(name);  // not one field, but one for each cookie
  }
  headers_.append(lines);
  names_ |= made.names_;
  status_ = made.status_;
  closes_ |= made.closes_;
  body_ = std::move(made.body_);
  stream_ = std::move(made.stream_);
}

std::optional<std::string_view> response::header(std::string_view name) const {
  if (name.empty() || (names_ & detail::name_bit(name)) == 0) return {};
  settle();
  const auto found = find_line(header_text(), name);
  if (!found) return {};
  const auto begin = found->begin + name.size() + 2;
  return header_text().substr(begin, found->end - 2 - begin);
}

response& response::body(std::string_view content, std::string_view content_type) & {
  body_ = content;
  stream_.reset();
  return set("Content-Type", content_type);
}

response& response::stream(std::string_view content_type, streamed_body made) & {
  set("Content-Type", content_type);
  replace_stream(std::move(made));
  return *this;
}

void response::replace_stream(streamed_body made) {
  if (!made.produce)
    throw std::invalid_argument("a streamed body needs a producer; give stream() a callable that writes it");
  body_.clear();
  stream_ = std::make_shared<const streamed_body>(std::move(made));
}

void response::clear() noexcept {
  status_ = corbel::status::ok;
  closes_ = false;
  names_ = 0;
  laid_ = 0;
  headers_.clear();
  standing_ = nullptr;
  body_.clear();
  stream_.reset();
  // One huge response shall not be remembered by every thread that ever wrote one.
  if (body_.capacity() > byte_buffer::usual) std::string().swap(body_);
}

response text_response(std::string_view content, status s) {
  response made(s);
  made.body_buffer() = content;
  response_access(made).set<text_content>();
  return made;
}

response redirect(std::string_view location, status s) {
  response made(s);
  made.set("Location", location);
  return made;
}

}  // namespace corbel
