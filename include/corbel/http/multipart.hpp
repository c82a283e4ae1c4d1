#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <corbel/base/error.hpp>
#include <corbel/base/result.hpp>

namespace corbel {

/// What one multipart/form-data body may hold. The whole of it is bounded by the request's body limit.
struct multipart_limits {
  std::size_t fields = 1000;          ///< parts without a file name
  std::size_t files = 100;            ///< parts with one
  std::size_t head_bytes = 8 * 1024;  ///< the header lines of one part
  std::size_t outside_bytes = 1024;   ///< before the first boundary, and again behind the last
};

/// What the header lines of one part say.
struct part_head {
  std::string name;  ///< UTF-8 without control characters
  std::optional<std::string>
      filename;  ///< as the client sent it, likewise; never a path to open: `safe_name`
  std::string content_type = "text/plain";  ///< as the client sent it: a claim, not a fact

  /// A file name that is fit to be made in a directory: see `safe_file_name`.
  std::string safe_name() const;
};

/// The last component of a file name that a client sent, without what means something to a file system or a
/// shell: no separators, no leading dots or dashes, no characters or device names that Windows reserves, no
/// marks that reverse the direction of text; at most 200 bytes of UTF-8, "file" when nothing is left.
std::string safe_file_name(std::string_view sent);

/// The boundary of a request's Content-Type (RFC 2046, 5.1.1): 1 to 70 characters, quoted or plain. The
/// error is `unsupported_media_type` for another type than multipart/form-data, `malformed` for a boundary
/// that is none.
result<std::string> multipart_boundary(std::optional<std::string_view> content_type);

/// Reads the header lines of one part of a form, each ending in CRLF (RFC 7578, 4.2). Quotes and line ends in
/// names are decoded from the escapes that browsers write (%22, %0D, %0A) and from quoted pairs. `filename*`
/// (RFC 8187, in UTF-8 or ISO-8859-1), which RFC 7578 advises against and clients send all the same, counts
/// where it is alone or beside a `filename` in MIME's encoded words ("=?UTF-8?B?...?=").
result<part_head> parse_part_head(std::string_view lines);

enum class multipart_event : std::uint8_t {
  more,      ///< all of the input is used; give the next piece
  part,      ///< a part begins: `head()`
  data,      ///< bytes of it: `data()`
  part_end,  ///< it is complete
  end,       ///< the closing boundary was read; what is fed now is the epilogue, which is dropped
};

/// Takes a multipart/form-data body apart (RFC 7578, RFC 2046), in pieces cut anywhere, without a socket and
/// without copying data. Each byte is looked at a bounded number of times, whatever it is.
///
/// Lines end in CRLF alone. A line that begins with the boundary and goes on is refused: a boundary must not
/// occur in a part, not even as a line's beginning (RFC 2046, 5.1.1).
class multipart_parser {
 public:
  /// `boundary` comes from `multipart_boundary`.
  explicit multipart_parser(std::string_view boundary, multipart_limits limits = {});

  /// The next thing in `input`; what it took is removed from there. An error is final: every later call
  /// gives it again.
  result<multipart_event> next(std::string_view& input);
  /// To be called where the body ends: an error unless the closing boundary was read.
  result<void> finish() const;

  /// Of the latest `part`.
  const part_head& head() const noexcept { return head_; }
  /// Of the latest `data`: a view into the input or into this parser, until the next call.
  std::string_view data() const noexcept { return data_; }

 private:
  enum class state : std::uint8_t {
    preamble,
    head,
    body,
    after_boundary,
    dash,
    padding,
    line_end,
    closed,
    closed_line_end,
    epilogue,
    failed
  };
  enum class found : std::uint8_t { nothing, bytes, delimiter };

  found search(std::string_view& input);
  std::optional<error> read_line_end(char c);
  bool read_head(std::string_view& input);
  std::optional<error> begin_part();
  result<multipart_event> fail(error why);

  const std::string delimiter_;  // CRLF, two dashes, the boundary
  const multipart_limits limits_;
  state state_ = state::preamble;
  bool in_part_ = false;
  std::size_t matched_ = 2;  // of the delimiter; the body's first line has no line end before it
  std::size_t outside_ = 0;
  std::size_t blank_ = 2;  // of the CRLF CRLF behind a head
  std::size_t fields_ = 0;
  std::size_t files_ = 0;
  std::string lines_;
  std::string_view data_;
  part_head head_;
  std::optional<error> failed_;
};

}  // namespace corbel
