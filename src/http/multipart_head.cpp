#include <algorithm>
#include <array>
#include <utility>

#include "base/json/utf8.hpp"
#include "corbel/http/field.hpp"
#include "corbel/http/media_type.hpp"
#include "corbel/http/multipart.hpp"
#include "corbel/http/url.hpp"
#include "http/multipart_error.hpp"

/// The texts around the parts: the boundary in Content-Type, and the header lines of a part.
namespace corbel {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t';
}

/// The parameters behind a field's first token: `; name=value; name="quoted value"`.
class parameter_reader {
 public:
  explicit parameter_reader(std::string_view rest) : rest_(rest) {}

  /// False at the end, and where the text is no list of parameters: `sound()` tells which.
  bool next() {
    skip_space();
    while (!rest_.empty() && rest_.front() == ';') {
      rest_.remove_prefix(1);
      skip_space();
      if (!rest_.empty() && rest_.front() != ';') return read();
    }
    sound_ = rest_.empty();
    return false;
  }
  bool sound() const noexcept { return sound_; }
  std::string_view name() const noexcept { return name_; }
  bool quoted() const noexcept { return quoted_; }
  const std::string& value() const noexcept { return value_; }

 private:
  void skip_space() {
    while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
  }

  bool read() {
    sound_ = false;
    const auto equals = rest_.find('=');
    if (equals == std::string_view::npos) return false;
    name_ = trim_space(rest_.substr(0, equals));
    if (!is_token(name_)) return false;
    rest_.remove_prefix(equals + 1);
    skip_space();
    quoted_ = !rest_.empty() && rest_.front() == '"';
    sound_ = quoted_ ? read_quoted() : read_plain();
    return sound_;
  }

  bool read_plain() {
    const auto text = rest_.substr(0, rest_.find(';'));
    rest_.remove_prefix(text.size());
    value_ = trim_space(text);
    return !value_.empty();
  }

  /// Only a quote and a backslash are taken for quoted: browsers write other backslashes as they are.
  bool read_quoted() {
    value_.clear();
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        skip_space();
        return rest_.empty() || rest_.front() == ';';
      }
      if (rest_[i] == '\\' && i + 1 < rest_.size() && (rest_[i + 1] == '"' || rest_[i + 1] == '\\')) ++i;
      value_ += rest_[i];
    }
    return false;
  }

  std::string_view rest_;
  std::string_view name_;
  std::string value_;
  bool quoted_ = false;
  bool sound_ = true;
};

/// RFC 2046, 5.1.1: bchars.
bool is_boundary(std::string_view text, bool quoted) {
  if (text.empty() || text.size() > 70 || text.back() == ' ') return false;
  return std::all_of(text.begin(), text.end(), [quoted](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("'()+_,-./:=?").find(c) != std::string_view::npos || (quoted && c == ' ');
  });
}

/// Undoes what browsers write for the characters that would end a quoted name (WHATWG HTML, 4.10.21.8).
void decode_escapes(std::string& text) {
  static constexpr std::array<std::pair<std::string_view, char>, 3> escapes{
      {{"%22", '"'}, {"%0D", '\r'}, {"%0A", '\n'}}};
  std::size_t kept = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    char c = text[at];
    if (c == '%')
      for (const auto& [escape, meant] : escapes)
        if (iequals(std::string_view(text).substr(at, 3), escape)) {
          c = meant;
          at += 2;
          break;
        }
    text[kept++] = c;
  }
  text.resize(kept);
}

std::optional<error> check_part_text(std::string_view what, const std::string& text) {
  if (has_control(text) || text.find('\t') != std::string::npos)
    return broken_multipart("a " + std::string(what) + " holds a control character.");
  if (!json::is_utf8(text)) return broken_multipart("a " + std::string(what) + " is not UTF-8.");
  return {};
}

std::optional<error> check_name(std::string_view what, std::string& text) {
  decode_escapes(text);
  return check_part_text(what, text);
}

/// RFC 8187: charset'language'percent-encoded. Empty for what is none.
std::optional<std::string> extended_value(std::string_view text) {
  const auto first = text.find('\'');
  const auto second = first == text.npos ? first : text.find('\'', first + 1);
  if (second == text.npos) return {};
  std::string bytes;
  if (!percent_decode(text.substr(second + 1), bytes)) return {};
  const auto charset = text.substr(0, first);
  if (is_utf8_label(charset)) return bytes;
  if (!iequals(charset, "iso-8859-1")) return {};
  std::string out;
  for (const char c : bytes) {
    const auto code = static_cast<unsigned char>(c);
    if (code >= 0x80) out += static_cast<char>(0xc0 | (code >> 6));
    out += code >= 0x80 ? static_cast<char>(0x80 | (code & 0x3f)) : c;
  }
  return out;
}

/// "=?charset?B?...?=": what mail programs write for names that are not ASCII.
bool is_encoded_word(std::string_view text) {
  return text.starts_with("=?") && text.ends_with("?=");
}

std::optional<error> read_disposition(std::string_view value, part_head& head) {
  const auto type = trim_space(value.substr(0, value.find(';')));
  if (!iequals(type, "form-data"))
    return broken_multipart("a part's Content-Disposition must be form-data; it is \"" +
                            std::string(type.substr(0, 40)) + "\".");
  parameter_reader parameters(value.substr(std::min(value.find(';'), value.size())));
  bool named = false;
  std::optional<std::string> extended;
  while (parameters.next()) {
    if (iequals(parameters.name(), "name")) {
      if (std::exchange(named, true)) return broken_multipart("a part has two names.");
      head.name = parameters.value();
      if (auto why = check_name("name", head.name)) return why;
    } else if (iequals(parameters.name(), "filename")) {
      if (head.filename) return broken_multipart("a part has two file names.");
      head.filename = parameters.value();
      if (auto why = check_name("file name", *head.filename)) return why;
    } else if (iequals(parameters.name(), "filename*")) {
      if (extended) return broken_multipart("a part has two file names.");
      extended = extended_value(parameters.value());
      if (!extended)
        return broken_multipart("a part's filename* must be in UTF-8, such as UTF-8''na%C3%AFve.txt.");
      if (auto why = check_part_text("file name", *extended)) return why;
    }
  }
  if (!parameters.sound())
    return broken_multipart(
        "a part's Content-Disposition must be form-data; name=\"...\"; filename=\"...\".");
  if (!named) return broken_multipart("a part has no name in its Content-Disposition.");
  if (extended && (!head.filename || is_encoded_word(*head.filename))) head.filename = std::move(extended);
  return {};
}

/// The charsets in use whose first half is ASCII: a text that keeps to it means the same in UTF-8.
bool extends_ascii(std::string_view charset) {
  return iequals(charset, "latin1") || iequals(charset.substr(0, 9), "iso-8859-") ||
         iequals(charset.substr(0, 10), "windows-12");
}

std::optional<error> check_charset(std::string_view content_type) {
  parameter_reader parameters(content_type.substr(std::min(content_type.find(';'), content_type.size())));
  while (parameters.next())
    if (iequals(parameters.name(), "charset") && !is_utf8_label(parameters.value()) &&
        !extends_ascii(parameters.value()))
      return broken_multipart("a field's charset must be UTF-8; it is \"" + parameters.value().substr(0, 40) +
                              "\".");
  return {};
}

}  // namespace

result<std::string> multipart_boundary(std::optional<std::string_view> content_type) {
  const auto type = content_type ? trim_space(content_type->substr(0, content_type->find(';'))) : "";
  if (!iequals(type, "multipart/form-data"))
    return error(error_kind::unsupported_media_type, "unsupported_media_type",
                 "The body must be a form; send it with Content-Type: multipart/form-data; boundary=....");
  parameter_reader parameters(content_type->substr(std::min(content_type->find(';'), content_type->size())));
  std::optional<std::string> boundary;
  while (parameters.next()) {
    if (!iequals(parameters.name(), "boundary")) continue;
    if (boundary) return broken_multipart("the Content-Type has two boundaries.");
    if (!is_boundary(parameters.value(), parameters.quoted()))
      return broken_multipart("the boundary must be 1 to 70 letters, digits or '()+_,-./:=? characters.");
    boundary = parameters.value();
  }
  if (!parameters.sound() || !boundary)
    return broken_multipart(
        "the Content-Type must name the boundary: multipart/form-data; boundary=\"...\".");
  return std::move(*boundary);
}

result<part_head> parse_part_head(std::string_view lines) {
  part_head head;
  bool disposed = false;
  bool typed = false;
  while (!lines.empty()) {
    const auto end = lines.find("\r\n");
    if (end == std::string_view::npos)
      return broken_multipart("a header line of a part does not end in CRLF.");
    const auto line = lines.substr(0, end);
    lines.remove_prefix(end + 2);
    if (has_control(line)) return broken_multipart("a header line of a part holds a control character.");
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon)))
      return broken_multipart("a header line of a part must be \"Name: value\", and not folded.");
    const auto name = line.substr(0, colon);
    const auto value = trim_space(line.substr(colon + 1));
    if (iequals(name, "content-disposition")) {
      if (std::exchange(disposed, true)) return broken_multipart("a part has two Content-Dispositions.");
      if (auto why = read_disposition(value, head)) return std::move(*why);
    } else if (iequals(name, "content-type")) {
      if (std::exchange(typed, true)) return broken_multipart("a part has two Content-Types.");
      head.content_type = value;
    } else if (iequals(name, "content-transfer-encoding")) {
      if (!iequals(value, "7bit") && !iequals(value, "8bit") && !iequals(value, "binary"))
        return broken_multipart(
            "a part's Content-Transfer-Encoding must be left out: HTTP takes bytes as they are.");
    }
  }
  if (!disposed) return broken_multipart("a part has no Content-Disposition.");
  if (!head.filename) {
    if (iequals(std::string_view(head.content_type).substr(0, 10), "multipart/"))
      return broken_multipart(
          "a part holds another multipart; send each file in a part of its own, under one name.");
    if (auto why = check_charset(head.content_type)) return std::move(*why);
  }
  return head;
}

}  // namespace corbel
