#include "client/body_framer.hpp"
#include "base/hex.hpp"

#include <algorithm>

#include "client/failures.hpp"
#include "corbel/http/field.hpp"

namespace corbel::outgoing {
body_framer::body_framer(const response_framing& framing) : left_(framing.length) {
  switch (framing.end) {
    case body_end::none: state_ = state::done; break;
    case body_end::length: state_ = state::length; break;
    case body_end::close: state_ = state::until_close; break;
    case body_end::chunked:
      state_ = state::size;
      left_ = 0;
      break;
  }
}

std::string_view body_framer::next(std::string_view& in, std::optional<error>& why) {
  while (!in.empty() && state_ != state::done && !why) {
    if (state_ == state::until_close) return std::exchange(in, {});
    if (state_ == state::length || state_ == state::data) {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, in.size()));
      const auto piece = in.substr(0, n);
      in.remove_prefix(n);
      left_ -= n;
      if (left_ == 0) state_ = state_ == state::length ? state::done : state::data_cr;
      return piece;
    }
    const char c = in.front();
    in.remove_prefix(1);
    if (!step(c, why) && !why) why = malformed_response("a malformed chunk");
  }
  return {};
}

bool body_framer::step(char c, std::optional<error>& why) {
  switch (state_) {
    case state::size:
      if (const int digit = hex_value(c); digit >= 0) {
        left_ = left_ << 4 | static_cast<std::uint64_t>(digit);
        return ++digits_ <= 15;  // cannot run over 64 bits
      }
      if (digits_ == 0) return false;
      state_ = state::size_padding;
      return step(c, why);
    case state::size_padding:  // some servers fill the size up with blanks
      if (c == ' ' || c == '\t') return ++extension_ <= most_extension;
      state_ = c == ';' ? state::extension : state::size_end;
      return c == ';' || c == '\r';
    case state::extension:
      if (c == '\r') {
        state_ = state::size_end;
        return true;
      }
      return !has_control({&c, 1}) && ++extension_ <= most_extension;
    case state::size_end:
      last_ = left_ == 0;
      digits_ = 0;
      extension_ = 0;
      state_ = last_ ? state::trailer : state::data;
      return c == '\n';
    case state::data_cr: state_ = state::data_lf; return c == '\r';
    case state::data_lf: state_ = state::size; return c == '\n';
    case state::trailer: {
      if (c == '\r') {
        state_ = state::trailer_end;
        return line_ == 0 || has_colon_;
      }
      const bool ends_name = c == ':' && line_ != 0;
      if (has_colon_ ? has_control({&c, 1}) : !ends_name && !is_token({&c, 1})) return false;
      has_colon_ |= ends_name;
      ++line_;
      if (++trailers_ > most_trailers) why = too_large("trailers of more than 16384 bytes");
      return !why;
    }
    case state::trailer_end:
      state_ = line_ == 0 ? state::done : state::trailer;
      line_ = 0;
      has_colon_ = false;
      return c == '\n';
    case state::done:
    case state::length:
    case state::until_close:
    case state::data: break;  // taken in next()
  }
  return false;
}

}  // namespace corbel::outgoing
