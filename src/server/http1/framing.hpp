#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "corbel/http/field.hpp"
#include "http/word_run.hpp"
#include "server/http1/head.hpp"

namespace corbel::http1 {

/// The fields that decide where a message ends and for whom it is, each with how often it stands there.
class deciding_fields {
 public:
  std::string_view host, content_length, transfer_encoding, expect;
  std::uint32_t hosts = 0, content_lengths = 0, transfer_encodings = 0, expects = 0;
  bool says_close = false, says_keep_alive = false;
  bool connection_is_no_list = false;

  /// Of the host, how many bytes are known to be letters, digits, '-', '.' or '_'.
  std::size_t host_run = 0;

  /// To be told every field, whose name is a token. `end` is that of the bytes that may be read.
  void note(std::string_view name, std::string_view value, const char* end) noexcept {
    switch (name.size()) {  // sparing most fields the comparisons
      case 4:
        if (!is_named(name, "host")) break;
        take(true, value, host, hosts);
        host_run = std::min(value.size(), detail::word_run<detail::word::without_slash>(value.data(), end));
        break;
      case 6: take(is_named(name, "expect"), value, expect, expects); break;
      case 10:
        if (is_named(name, "connection")) note_connection(value);
        break;
      case 14: take(is_named(name, "content-length"), value, content_length, content_lengths); break;
      case 17: take(is_named(name, "transfer-encoding"), value, transfer_encoding, transfer_encodings); break;
      default: break;
    }
  }

 private:
  static void take(bool meant, std::string_view value, std::string_view& last, std::uint32_t& count) {
    if (!meant) return;
    last = value;
    ++count;
  }

  /// `wanted` is in lower case, of as many bytes as the name. Among token characters, setting bit 5 makes
  /// equal only what differs by case, but for the pairs ^~ and _DEL, which no wanted name has.
  template <std::size_t N>
  static bool is_named(std::string_view name, const char (&wanted)[N]) noexcept {
    for (std::size_t i = 0; i < N - 1; ++i)
      if ((name[i] | 0x20) != wanted[i]) return false;
    return true;
  }

  void note_connection(std::string_view value) noexcept;
};

/// RFC 9112, 6: how a request with these fields is framed, by rules stricter than the RFC's: a request that
/// two parties could read in two ways is refused: false, and `why` says why. Replaces an absolute-form target
/// by its path, and the Host field by its host.
bool decide_framing(request& in, const deciding_fields& f, message_framing& framing,
                    std::optional<error>& why);

}  // namespace corbel::http1
