#include "data/array_text.hpp"

#include "corbel/base/encoding.hpp"
#include "corbel/base/error.hpp"
#include "corbel/base/json/reader.hpp"

namespace corbel::data {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool skip(std::string_view& text, char expected) noexcept {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(1);
  return true;
}

bool skip_integer(std::string_view& text) noexcept {
  if (!skip(text, '-')) skip(text, '+');
  const std::size_t before = text.size();
  while (!text.empty() && is_digit(text.front())) text.remove_prefix(1);
  return text.size() < before;
}

/// "[0:2][1:3]=". The bounds themselves say nothing that the elements do not.
bool skip_bounds(std::string_view& text) noexcept {
  while (skip(text, '['))
    if (!skip_integer(text) || !skip(text, ':') || !skip_integer(text) || !skip(text, ']')) return false;
  return skip(text, '=');
}

bool is_null_word(std::string_view text) noexcept {
  constexpr std::string_view word = "NULL";
  if (text.size() != word.size()) return false;
  for (std::size_t i = 0; i < word.size(); ++i)
    if ((text[i] & ~0x20) != word[i]) return false;
  return true;
}

}  // namespace

bool opens_array(std::string_view text) noexcept {
  if (text.starts_with('[') && !skip_bounds(text)) return false;
  return text.starts_with('{');
}

bool array_reader::open() noexcept {
  if (text_.starts_with('[') && !skip_bounds(text_)) return false;
  depth_ = 1;
  fresh_ = true;
  return skip(text_, '{');
}

array_reader::item array_reader::next(std::string_view& element) {
  if (depth_ == 0) return item::malformed;
  const bool first = fresh_;
  fresh_ = false;
  if (skip(text_, '}')) {
    --depth_;
    return item::end;
  }
  if (!first && !skip(text_, ',')) return item::malformed;
  if (skip(text_, '{')) {
    ++depth_;
    fresh_ = true;
    return item::list;
  }
  return skip(text_, '"') ? quoted(element) : bare(element);
}

array_reader::item array_reader::quoted(std::string_view& element) {
  auto stop = text_.find_first_of("\"\\");
  if (stop == text_.npos) return item::malformed;
  if (text_[stop] == '"') {
    element = text_.substr(0, stop);
    text_.remove_prefix(stop + 1);
    return item::text;
  }
  scratch_.clear();
  while (stop != text_.npos && text_[stop] == '\\') {
    if (stop + 1 == text_.size()) return item::malformed;
    scratch_.append(text_, 0, stop) += text_[stop + 1];
    text_.remove_prefix(stop + 2);
    stop = text_.find_first_of("\"\\");
  }
  if (stop == text_.npos) return item::malformed;
  scratch_.append(text_, 0, stop);
  text_.remove_prefix(stop + 1);
  element = scratch_;
  return item::text;
}

array_reader::item array_reader::bare(std::string_view& element) noexcept {
  // The server quotes an element that has any other of these in it.
  const auto stop = text_.find_first_of(",}{\"\\ \t\n\r\v\f");
  if (stop == text_.npos || stop == 0 || (text_[stop] != ',' && text_[stop] != '}')) return item::malformed;
  element = text_.substr(0, stop);
  text_.remove_prefix(stop);
  return is_null_word(element) ? item::null : item::text;
}

namespace {

class array_writer {
 public:
  array_writer(std::string_view json, array_elements of) : in_(json), of_(of) {}

  std::string run() {
    if (in_.peek() != json::value_kind::array) {
      refuse("a parameter for an array column is no list: pass a std::vector, or cast the placeholder");
    }
    list();
    if (!in_.finish()) malformed();
    // Before version 17, Postgres knows no other array without elements.
    return has_elements_ ? std::move(out_) : "{}";
  }

 private:
  [[noreturn]] static void refuse(std::string what) { throw failure(internal_error(std::move(what))); }
  [[noreturn]] void malformed() {
    refuse("a parameter for an array column is no JSON list: " + in_.malformed().message());
  }

  void list() {
    out_ += '{';
    if (!in_.begin_array()) malformed();
    for (bool first = true; in_.element(); first = false) {
      if (!first) out_ += ',';
      element();
    }
    if (in_.failed()) malformed();
    out_ += '}';
  }

  void element() {
    const auto kind = in_.peek();
    if (kind == json::value_kind::null) {
      if (!in_.null()) malformed();
      out_ += "NULL";
    } else if (of_ == array_elements::json) {
      quote(raw());
    } else if (kind == json::value_kind::array) {
      return list();
    } else if (of_ == array_elements::bytes) {
      bytes(kind);
    } else {
      plain(kind);
    }
    has_elements_ = true;
  }

  void plain(json::value_kind kind) {
    switch (kind) {
      case json::value_kind::number: out_ += raw(); return;
      case json::value_kind::object: return quote(raw());
      case json::value_kind::boolean: {
        bool yes = false;
        if (!in_.boolean(yes)) malformed();
        out_ += yes ? 't' : 'f';
        return;
      }
      default: return quote(text());
    }
  }

  void bytes(json::value_kind kind) {
    const auto read = kind == json::value_kind::string ? from_base64(text()) : std::nullopt;
    if (!read)
      refuse(
          "a parameter for a bytea[] column has an element that is no base64: pass a std::vector of "
          "std::vector<std::byte>");
    quote("\\x" + to_hex(*read));
  }

  std::string_view text() {
    std::string_view read;
    if (!in_.string(read)) malformed();
    if (read.find('\0') != read.npos)
      throw failure(corbel::malformed("A text must not contain the character U+0000.", "nul_in_text"));
    return read;
  }

  /// The next value as it is written.
  std::string_view raw() {
    const char* const from = in_.here().at;
    if (!in_.skip()) malformed();
    return {from, static_cast<std::size_t>(in_.here().at - from)};
  }

  void quote(std::string_view text) {
    out_ += '"';
    for (const char c : text) {
      if (c == '"' || c == '\\') out_ += '\\';
      out_ += c;
    }
    out_ += '"';
  }

  json::reader in_;
  array_elements of_;
  std::string out_;
  bool has_elements_ = false;
};

}  // namespace

std::string array_literal(std::string_view json_list, array_elements of) {
  return array_writer(json_list, of).run();
}

}  // namespace corbel::data
