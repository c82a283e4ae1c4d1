#include "data/postgres/wire_writer.hpp"
#include "data/postgres/wire_reader.hpp"

#include <algorithm>
#include <charconv>

#include "corbel/base/error.hpp"

namespace corbel::postgres {
namespace {

constexpr std::size_t most_values = 65'535;

constexpr std::size_t most_digits = 32;
// Writers into memory that is there: each gives the end of what it wrote.

char* write16(char* at, std::size_t n) {
  *at++ = static_cast<char>(n >> 8 & 0xff);
  *at++ = static_cast<char>(n & 0xff);
  return at;
}

char* write32(char* at, std::size_t n) {
  return write16(write16(at, n >> 16), n);
}

char* write_bytes(char* at, std::string_view bytes) {
  return std::copy(bytes.begin(), bytes.end(), at);
}

/// A number's shortest text that reads back as the same number, behind its length.
template <class Number>
char* write_digits(char* at, Number n) {
  char* const end = std::to_chars(at + 4, at + 4 + most_digits, n).ptr;
  write32(at, static_cast<std::size_t>(end - at - 4));
  return end;
}

/// The bytes of a value that is no number; those of NULL are none.
std::string_view bytes_of(const data::value& v) {
  if (const auto* s = std::get_if<std::string>(&v)) return *s;
  if (const auto* b = std::get_if<data::blob>(&v))
    return {reinterpret_cast<const char*>(b->data()), b->size()};
  return {};
}

char* write_value(char* at, const data::value& v) {
  if (const auto* n = std::get_if<std::int64_t>(&v)) return write_digits(at, *n);
  if (const auto* d = std::get_if<double>(&v)) return write_digits(at, *d);
  if (data::is_null(v)) return write32(at, null_length);
  const auto bytes = bytes_of(v);
  return write_bytes(write32(at, bytes.size()), bytes);
}

}  // namespace

void wire_writer::begin(char type) {
  const char head[5] = {type, 0, 0, 0, 0};
  out_.append(head, sizeof head);
  length_at_ = out_.size() - 4;
}

void wire_writer::end() {
  if (out_.size() - length_at_ > most_message)
    throw failure(
        malformed("What is to be stored is too long.", "invalid_value")
            .because("a statement with its values has more than 1 GiB, which Postgres does not take"));
  write32(out_.data() + length_at_, out_.size() - length_at_);
}

void wire_writer::put16(std::size_t n) {
  char bytes[2];
  write16(bytes, n);
  out_.append(bytes, sizeof bytes);
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
  const auto start = out_.size();
  // At the most: all of it grows at once.
  auto room = statement.size() + 16 + 2 * (values.size() + formats.size());
  bool any_bytes = false;
  for (const auto& v : values) {
    any_bytes = any_bytes || std::holds_alternative<data::blob>(v);
    const auto* const text = std::get_if<std::string>(&v);
    // The server would refuse it, too, and undo the transaction with it.
    if (text && text->find('\0') != std::string::npos)
      throw failure(malformed("A text must not contain the character U+0000.", "nul_in_text"));
    room += 4 + std::max(most_digits, bytes_of(v).size());
  }
  out_.resize(start + room);
  char* at = out_.data() + start;
  *at++ = '\0';  // the unnamed portal
  at = write_bytes(at, statement);
  *at++ = '\0';
  if (any_bytes) {
    at = write16(at, values.size());
    for (const auto& v : values) at = write16(at, std::holds_alternative<data::blob>(v) ? 1 : 0);
  } else {
    at = write16(at, 0);  // all of them text
  }
  at = write16(at, values.size());
  for (const auto& v : values) at = write_value(at, v);
  at = write16(at, formats.size());
  for (const auto f : formats) at = write16(at, static_cast<std::size_t>(f));
  out_.resize(static_cast<std::size_t>(at - out_.data()));
  end();
}

void wire_writer::execute() {
  constexpr char all_of_the_unnamed[] = {'E', 0, 0, 0, 9, 0, 0, 0, 0, 0};
  out_.append(all_of_the_unnamed, sizeof all_of_the_unnamed);
}

void wire_writer::sync() {
  constexpr char message[] = {'S', 0, 0, 0, 4};
  out_.append(message, sizeof message);
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
