#include "load/reply_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

namespace load {
namespace {

constexpr std::size_t longest_head = 256 * 1024;

bool same(std::string_view a, std::string_view lower) {
  return std::equal(a.begin(), a.end(), lower.begin(), lower.end(),
                    [](char x, char y) { return (x >= 'A' && x <= 'Z' ? x + ('a' - 'A') : x) == y; });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Behind the blank line of the head; 0 when that is not there yet.
std::size_t head_size(std::string_view bytes) {
  const void* blank = ::memmem(bytes.data(), bytes.size(), "\r\n\r\n", 4);
  return blank ? static_cast<std::size_t>(static_cast<const char*>(blank) - bytes.data()) + 4 : 0;
}

template <class Number>
bool read_number(std::string_view text, Number& out, int base = 10) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return failed == std::errc{} && end == text.data() + text.size();
}

}  // namespace

void reply_reader::clear() {
  state_ = state::head;
  reply_ = {};
  partial_.clear();
}

std::optional<reply> reply_reader::finish() {
  state_ = state::head;
  return std::exchange(reply_, {});
}

void reply_reader::skip(std::string_view& in) {
  const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, in.size()));
  in.remove_prefix(n);
  left_ -= n;
  reply_.length += n;
}

std::optional<std::string_view> reply_reader::line(std::string_view& in) {
  const auto feed = in.find('\n');
  if (feed == in.npos) {
    partial_.append(in);
    in = {};
    if (partial_.size() > longest_head) state_ = state::broken;
    return {};
  }
  // The view stays good until the next call: `partial_` is cleared only when the next line is begun.
  std::string_view found = in.substr(0, feed);
  if (!partial_.empty()) {
    partial_.append(found);
    found = partial_;
  }
  in.remove_prefix(feed + 1);
  if (!found.empty() && found.back() == '\r') found.remove_suffix(1);
  return found;
}

void reply_reader::read_head(std::string_view head) {
  state_ = state::broken;
  // "HTTP/1.1 200 OK"
  if (head.size() < 13 || !head.starts_with("HTTP/1.") || !read_number(head.substr(9, 3), reply_.status))
    return;
  reply_.closes = head[7] == '0';
  bool chunked = false;
  std::optional<std::uint64_t> length;
  for (auto at = head.find('\n') + 1; at < head.size();) {
    const auto end = head.find('\n', at);
    const auto field = head.substr(at, end - at - 1);
    at = end + 1;
    // Only three fields matter; the first letter spares the others their comparison.
    const char first = field.empty() ? '\0' : static_cast<char>(field.front() | 0x20);
    if (first != 'c' && first != 't') continue;
    const auto colon = field.find(':');
    if (colon == field.npos) continue;
    const auto name = field.substr(0, colon);
    if (same(name, "content-length")) {
      std::uint64_t n = 0;
      if (!read_number(trimmed(field.substr(colon + 1)), n)) return;
      length = n;
    } else if (same(name, "transfer-encoding")) {
      chunked = same(trimmed(field.substr(colon + 1)), "chunked");
    } else if (same(name, "connection")) {
      const auto value = trimmed(field.substr(colon + 1));
      if (same(value, "close")) reply_.closes = true;
      if (same(value, "keep-alive")) reply_.closes = false;
    }
  }
  left_ = length.value_or(0);
  if (reply_.status / 100 == 1 || reply_.status == 204 || reply_.status == 304)
    state_ = state::body, left_ = 0;
  else if (chunked)
    state_ = state::chunk_size;
  else
    state_ = length ? state::body : state::to_the_end;
}

std::optional<reply> reply_reader::next(std::string_view& in) {
  while (!in.empty()) {
    switch (state_) {
      case state::head: {
        if (partial_.empty()) {
          if (const auto size = head_size(in)) {
            read_head(in.substr(0, size));
            in.remove_prefix(size);
            break;
          }
        }
        const auto had = partial_.size();
        partial_.append(in);
        const auto size = head_size(partial_);
        if (size == 0) {
          in = {};
          if (partial_.size() > longest_head) state_ = state::broken;
          return {};
        }
        in.remove_prefix(size - had);
        partial_.resize(size);
        read_head(partial_);
        partial_.clear();
        break;
      }
      case state::body: skip(in); break;
      case state::to_the_end:
        left_ = in.size();
        skip(in);
        break;
      case state::chunk_size:
        if (const auto text = line(in)) {
          if (!read_number(trimmed(text->substr(0, text->find(';'))), left_, 16)) {
            state_ = state::broken;
            return {};
          }
          partial_.clear();
          state_ = left_ ? state::chunk : state::trailer;
        }
        break;
      case state::chunk:
        skip(in);
        if (left_ == 0) state_ = state::chunk_end;
        break;
      case state::chunk_end:
        if (const auto text = line(in)) {
          state_ = text->empty() ? state::chunk_size : state::broken;
          partial_.clear();
        }
        break;
      case state::trailer:
        if (const auto text = line(in)) {
          const bool last = text->empty();
          partial_.clear();
          if (last) return finish();
        }
        break;
      case state::broken: return {};
    }
    if (state_ == state::body && left_ == 0) {
      if (reply_.status / 100 != 1) return finish();
      finish();
    }
  }
  return {};
}

std::optional<reply> reply_reader::end() {
  if (state_ != state::to_the_end) return {};
  reply_.closes = true;
  return finish();
}

}  // namespace load
