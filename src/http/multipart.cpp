#include "corbel/http/multipart.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "http/multipart_error.hpp"

namespace corbel {
namespace {

error too_large(std::string code, std::string what) {
  return {error_kind::payload_too_large, std::move(code), std::move(what)};
}

std::size_t common_prefix(std::string_view a, std::string_view b) {
  const std::size_t most = std::min(a.size(), b.size());
  std::size_t size = 0;
  while (size < most && a[size] == b[size]) ++size;
  return size;
}

constexpr std::string_view blank_line = "\r\n\r\n";

}  // namespace

multipart_parser::multipart_parser(std::string_view boundary, multipart_limits limits)
    : delimiter_("\r\n--" + std::string(boundary)), limits_(limits) {}

result<multipart_event> multipart_parser::fail(error why) {
  state_ = state::failed;
  failed_ = std::move(why);
  return *failed_;
}

/// Looks for the delimiter; what stands before it is `data_`. A CR stands nowhere in the delimiter but at its
/// beginning, so a match that breaks off cannot hide another: no byte is compared twice.
multipart_parser::found multipart_parser::search(std::string_view& input) {
  data_ = {};
  if (matched_ > 0) {
    const auto rest = std::string_view(delimiter_).substr(matched_);
    const auto more = rest.empty() || input.empty() ? 0 : common_prefix(input, rest);
    matched_ += more;
    input.remove_prefix(more);
    if (matched_ == delimiter_.size()) {
      matched_ = 0;
      return found::delimiter;
    }
    if (input.empty()) return found::nothing;
    data_ = std::string_view(delimiter_).substr(0, std::exchange(matched_, 0));
    return found::bytes;
  }
  for (std::size_t from = 0; from < input.size();) {
    const void* const cr = std::memchr(input.data() + from, '\r', input.size() - from);
    if (!cr) break;
    const auto at = static_cast<std::size_t>(static_cast<const char*>(cr) - input.data());
    const auto size = common_prefix(input.substr(at), delimiter_);
    if (at + size == input.size() || size == delimiter_.size()) {
      // Complete, or cut off by the end of the input: either way the next call goes on from here.
      matched_ = size;
      data_ = input.substr(0, at);
      input.remove_prefix(at + size);
      return data_.empty() ? search(input) : found::bytes;
    }
    from = at + size;
  }
  data_ = input;
  input = {};
  return data_.empty() ? found::nothing : found::bytes;
}

/// Takes header lines up to the blank one; false when the input ends before it.
bool multipart_parser::read_head(std::string_view& input) {
  std::size_t i = 0;
  while (i < input.size() && blank_ < blank_line.size() && lines_.size() + i <= limits_.head_bytes) {
    const char c = input[i++];
    if (c == blank_line[blank_])
      ++blank_;
    else
      blank_ = c == '\r' ? 1 : 0;
  }
  lines_ += input.substr(0, i);
  input.remove_prefix(i);
  return blank_ == blank_line.size() || lines_.size() > limits_.head_bytes;
}

std::optional<error> multipart_parser::begin_part() {
  if (lines_.size() > limits_.head_bytes)
    return too_large("part_head_too_large",
                     "The header lines of a part may have " + std::to_string(limits_.head_bytes) + " bytes.");
  auto head = parse_part_head(std::string_view(lines_).substr(0, lines_.size() - 2));
  if (!head) return std::move(head).error();
  head_ = std::move(*head);
  auto& count = head_.filename ? files_ : fields_;
  const auto most = head_.filename ? limits_.files : limits_.fields;
  if (++count > most)
    return too_large("too_many_parts",
                     "A form may have " + std::to_string(most) + (head_.filename ? " files." : " fields."));
  lines_.clear();
  in_part_ = true;
  state_ = state::body;
  return {};
}

/// What may follow a boundary: two dashes for the last one; spaces; the end of the line.
std::optional<error> multipart_parser::read_line_end(char c) {
  const auto take = [&](state next) {
    state_ = next;
    return std::optional<error>();
  };
  const bool blank = c == ' ' || c == '\t';
  if (blank && ++outside_ > limits_.outside_bytes)
    return broken_multipart("a boundary is followed by too much space.");
  switch (state_) {
    case state::after_boundary:
      if (c == '-') return take(state::dash);
      [[fallthrough]];
    case state::padding:
      if (blank) return take(state::padding);
      if (c == '\r') return take(state::line_end);
      break;
    case state::dash:
      if (c == '-') return take(state::closed);
      break;
    case state::line_end:
      if (c != '\n') break;
      blank_ = 2;
      return take(state::head);
    case state::closed:
      if (blank) return {};
      if (c == '\r') return take(state::closed_line_end);
      break;
    default:
      if (c == '\n') return take(state::epilogue);
  }
  return broken_multipart(
      "a line begins with the boundary but is none; choose a boundary that no part contains.");
}

result<multipart_event> multipart_parser::next(std::string_view& input) {
  using event = multipart_event;
  for (;;) {
    switch (state_) {
      case state::failed: return *failed_;
      case state::preamble:
      case state::body: {
        const auto what = search(input);
        if (what == found::nothing) return event::more;
        if (what == found::delimiter) {
          outside_ = 0;
          state_ = state::after_boundary;
        } else if (state_ == state::body) {
          return event::data;
        } else if ((outside_ += data_.size()) > limits_.outside_bytes) {
          return fail(
              broken_multipart("it does not begin with its boundary, --" + delimiter_.substr(4) + "."));
        }
        break;
      }
      case state::head: {
        if (!read_head(input)) return event::more;
        if (auto why = begin_part()) return fail(std::move(*why));
        return event::part;
      }
      case state::epilogue:
        outside_ += input.size();
        input = {};
        if (outside_ > limits_.outside_bytes)
          return fail(broken_multipart("it goes on behind its closing boundary."));
        return event::end;
      default:
        if (input.empty()) return state_ >= state::closed ? event::end : event::more;
        if (auto why = read_line_end(input.front())) return fail(std::move(*why));
        input.remove_prefix(1);
        if (in_part_ && (state_ == state::head || state_ == state::closed)) {
          in_part_ = false;
          return event::part_end;
        }
        if (state_ == state::closed || state_ == state::epilogue) outside_ = 0;
    }
  }
}

result<void> multipart_parser::finish() const {
  if (failed_) return *failed_;
  if (state_ == state::closed || state_ == state::closed_line_end || state_ == state::epilogue) return {};
  return broken_multipart("it ends before its closing boundary, --" + delimiter_.substr(4) + "--.");
}

}  // namespace corbel
