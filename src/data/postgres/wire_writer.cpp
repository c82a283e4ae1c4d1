#include "data/postgres/wire_writer.hpp"

#include <charconv>
#include <cstring>

#include "corbel/base/error.hpp"

namespace corbel::postgres {
namespace {

constexpr std::size_t most_values = 65'535;

/// A number's shortest text that reads back as the same number.
template <class Number>
std::string_view digits_of(Number n, char (&room)[32]) {
  return {room, static_cast<std::size_t>(std::to_chars(room, room + sizeof room, n).ptr - room)};
}

}  // namespace

void wire_writer::begin(char type) {
  out_ += type;
  length_at_ = out_.size();
  out_.append(4, '\0');
}

void wire_writer::end() {
  if (out_.size() - length_at_ > most_message)
    throw failure(
        malformed("What is to be stored is too long.", "invalid_value")
            .because("a statement with its values has more than 1 GiB, which Postgres does not take"));
  const auto length = static_cast<std::uint32_t>(out_.size() - length_at_);
  for (unsigned i = 0; i < 4; ++i)
    out_[length_at_ + i] = static_cast<char>(static_cast<unsigned char>(length >> (24 - 8 * i)));
}

void wire_writer::put16(std::size_t n) {
  const char bytes[2] = {static_cast<char>(n >> 8 & 0xff), static_cast<char>(n & 0xff)};
  out_.append(bytes, 2);
}

void wire_writer::put32(std::size_t n) {
  const char bytes[4] = {static_cast<char>(n >> 24 & 0xff), static_cast<char>(n >> 16 & 0xff),
                         static_cast<char>(n >> 8 & 0xff), static_cast<char>(n & 0xff)};
  out_.append(bytes, 4);
}

void wire_writer::put_text(std::string_view text) {
  // A NUL would end the text early, and what follows it would be read as something else.
  if (text.find('\0') != std::string_view::npos)
    throw failure(internal_error("SQL text and names may hold no NUL character: take it out"));
  out_ += text;
  out_ += '\0';
}

void wire_writer::parse(std::string_view name, std::string_view sql) {
  begin('P');
  put_text(name);
  put_text(sql);
  put16(0);
  end();
}

void wire_writer::describe_statement(std::string_view name) {
  begin('D');
  out_ += 'S';
  put_text(name);
  end();
}

void wire_writer::describe_portal() {
  begin('D');
  out_ += 'P';
  put_text({});
  end();
}

void wire_writer::bind(std::string_view statement, std::span<const data::value> values,
                       std::span<const wire_format> formats) {
  if (values.size() > most_values)
    throw failure(internal_error("a statement takes at most 65535 values: send fewer at once"));
  begin('B');
  put_text({});  // the unnamed portal
  put_text(statement);
  bool any_bytes = false;
  for (const auto& v : values) any_bytes = any_bytes || std::holds_alternative<data::blob>(v);
  if (any_bytes) {
    put16(values.size());
    for (const auto& v : values) put16(std::holds_alternative<data::blob>(v) ? 1 : 0);
  } else {
    put16(0);  // all of them text
  }
  put16(values.size());
  char room[32];
  for (const auto& v : values) {
    std::string_view text;
    if (const auto* n = std::get_if<std::int64_t>(&v)) {
      text = digits_of(*n, room);
    } else if (const auto* d = std::get_if<double>(&v)) {
      text = digits_of(*d, room);
    } else if (const auto* s = std::get_if<std::string>(&v)) {
      text = *s;
      // The server would refuse it, too, and undo the transaction with it.
      if (text.find('\0') != std::string_view::npos)
        throw failure(malformed("A text must not contain the character U+0000.", "nul_in_text"));
    } else if (const auto* b = std::get_if<data::blob>(&v)) {
      text = {reinterpret_cast<const char*>(b->data()), b->size()};
    } else {
      put32(0xffff'ffff);  // NULL
      continue;
    }
    put32(text.size());
    out_ += text;
  }
  put16(formats.size());
  for (const auto f : formats) put16(static_cast<std::size_t>(f));
  end();
}

void wire_writer::execute() {
  begin('E');
  put_text({});
  put32(0);
  end();
}

void wire_writer::sync() {
  begin('S');
  end();
}

void wire_writer::close_statement(std::string_view name) {
  begin('C');
  out_ += 'S';
  put_text(name);
  end();
}

void wire_writer::query(std::string_view sql) {
  begin('Q');
  put_text(sql);
  end();
}

void wire_writer::terminate() {
  begin('X');
  end();
}

}  // namespace corbel::postgres
