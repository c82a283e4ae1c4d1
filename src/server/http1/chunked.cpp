#include "server/http1/chunked.hpp"
#include "base/hex.hpp"

#include <algorithm>

#include "corbel/http/field.hpp"
#include "http/body_limit.hpp"

namespace corbel::http1 {
namespace {

bool is_control(char c) {
  const auto u = static_cast<unsigned char>(c);
  return (u < 0x20 && u != '\t') || u == 0x7f;
}

}  // namespace

bool chunked_reader::step_extension(char c) {
  const bool blank = c == ' ' || c == '\t';
  const bool token = is_token({&c, 1});
  const auto go = [&](state next) {
    state_ = next;
    return true;
  };
  switch (state_) {
    case state::gap:
      if (blank) return true;
      if (c == ';') return go(state::name_gap);
      return c == '=' && may_have_value_ && go(state::value_gap);
    case state::name_gap: return blank || (token && go(state::name));
    case state::name:
      may_have_value_ = true;
      if (token) return true;
      if (blank) return go(state::gap);
      if (c == '=') return go(state::value_gap);
      break;
    case state::value_gap:
      if (blank) return true;
      if (c == '"') return go(state::quoted);
      return token && go(state::value);
    case state::value:
      may_have_value_ = false;
      if (token) return true;
      if (blank) return go(state::gap);
      break;
    case state::quoted:
      if (c == '"') return go(state::quoted_end);
      if (c == '\\') return go(state::quoted_pair);
      return !is_control(c);
    case state::quoted_pair: return !is_control(c) && go(state::quoted);
    case state::quoted_end:
      may_have_value_ = false;
      if (blank) return go(state::gap);
      break;
    default: return false;
  }
  if (c == ';') return go(state::name_gap);
  return c == '\r' && go(state::size_end);
}

chunked_reader::outcome chunked_reader::feed(std::string_view& in, std::string& body, std::size_t limit,
                                             std::optional<error>& why) {
  const auto refuse = [&](std::string message) {
    why = malformed(std::move(message), "malformed_framing");
    return outcome::refused;
  };
  while (!in.empty()) {
    if (state_ == state::data) {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, in.size()));
      body.append(in.substr(0, n));
      in.remove_prefix(n);
      left_ -= n;
      if (left_ == 0) state_ = state::data_cr;
      continue;
    }
    const char c = in.front();
    in.remove_prefix(1);
    switch (state_) {
      case state::size:
        if (const int digit = hex_value(c); digit >= 0) {
          // 15 digits cannot run over 64 bits.
          if (++digits_ > 15) return refuse("A chunk's size has more than 15 digits.");
          left_ = left_ << 4 | static_cast<std::uint64_t>(digit);
        } else if (digits_ == 0) {
          return refuse("A chunk begins without its size in hexadecimal.");
        } else if (c == '\r') {
          state_ = state::size_end;
        } else if (c == ';' || c == ' ' || c == '\t') {
          state_ = c == ';' ? state::name_gap : state::gap;
          may_have_value_ = false;
        } else {
          return refuse("A chunk's size is followed by neither CR LF nor an extension.");
        }
        break;
      case state::gap:
      case state::name_gap:
      case state::name:
      case state::value_gap:
      case state::value:
      case state::quoted:
      case state::quoted_pair:
      case state::quoted_end:
        if (!step_extension(c) || (c != '\r' && ++extension_ > extension_limit))
          return refuse("A chunk's extension is malformed or longer than 256 bytes.");
        break;
      case state::size_end:
        if (c != '\n') return refuse("A chunk's size line does not end in CR LF.");
        if (left_ > limit - std::min(limit, body.size())) {
          why = body_too_large(limit);
          return outcome::refused;
        }
        if (const std::size_t line = digits_ + extension_; line > honest_line + left_) {
          waste_ += static_cast<std::uint32_t>(line - honest_line - left_);
          if (waste_ > waste_limit) return refuse("The chunks' extensions are longer than the body.");
        }
        last_ = left_ == 0;
        digits_ = 0;
        extension_ = 0;
        state_ = last_ ? state::trailer : state::data;
        break;
      case state::data_cr:
        if (c != '\r') return refuse("A chunk is longer than its size says.");
        state_ = state::data_lf;
        break;
      case state::data_lf:
        if (c != '\n') return refuse("A chunk does not end in CR LF.");
        state_ = state::size;
        break;
      case state::trailer:
        if (c == '\r') {
          if (line_ != 0 && !line_has_colon_) return refuse("A trailer line has no colon.");
          state_ = state::trailer_end;
        } else {
          const bool ends_name = c == ':' && line_ != 0;
          if (line_has_colon_ ? is_control(c) : !ends_name && !is_token({&c, 1}))
            return refuse("A trailer line is malformed.");
          line_has_colon_ |= ends_name;
          ++line_;
          if (++trailer_ > trailer_limit) return refuse("The trailers are longer than 8192 bytes.");
        }
        break;
      case state::trailer_end:
        if (c != '\n') return refuse("A trailer line does not end in CR LF.");
        if (line_ == 0) return outcome::complete;
        line_ = 0;
        line_has_colon_ = false;
        state_ = state::trailer;
        break;
      case state::data: break;  // taken above
    }
  }
  return outcome::incomplete;
}

}  // namespace corbel::http1
