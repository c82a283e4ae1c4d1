#include "data/postgres/rows.hpp"

#include <bit>
#include <charconv>
#include <optional>

#include "corbel/base/error.hpp"
#include "corbel/base/interval.hpp"
#include "data/postgres/oids.hpp"
#include "data/postgres/wire_reader.hpp"

namespace corbel::postgres {
namespace {

[[noreturn]] void refuse(const column& of) {
  // The table was changed between the look at its columns and the rows.
  throw failure(internal_error("column \"" + of.name + "\" changed its type; run the statement again"));
}

std::int64_t read_integer(std::string_view bytes) {
  std::uint64_t n = 0;
  for (const char c : bytes) n = n << 8 | static_cast<unsigned char>(c);
  switch (bytes.size()) {
    case 2: return static_cast<std::int16_t>(n);
    case 4: return static_cast<std::int32_t>(n);
    default: return static_cast<std::int64_t>(n);
  }
}

double read_double(std::string_view bytes) {
  field_reader fields(bytes);
  if (bytes.size() == 4) return std::bit_cast<float>(fields.u32());
  const std::uint64_t high = fields.u32();
  return std::bit_cast<double>(high << 32 | fields.u32());
}

template <class Number>
std::optional<Number> whole_number(std::string_view text) {
  Number n = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (wrong != std::errc{} || end != text.data() + text.size()) return {};
  return n;
}

std::size_t width_of(std::uint32_t type) {
  switch (type) {
    case oid::boolean: return 1;
    case oid::int2: return 2;
    case oid::int4:
    case oid::oid:
    case oid::float4: return 4;
    case oid::int8:
    case oid::float8: return 8;
    case oid::interval: return 16;
    default: return 0;
  }
}

/// Its text has a form that the session chooses; these bytes do not.
std::string read_interval(std::string_view bytes) {
  interval span;
  span.microseconds = read_integer(bytes.substr(0, 8));
  span.days = static_cast<std::int32_t>(read_integer(bytes.substr(8, 4)));
  span.months = static_cast<std::int32_t>(read_integer(bytes.substr(12, 4)));
  return to_text(span);
}

data::cell read_text(const column& of, std::string_view text) {
  switch (of.type) {
    case oid::boolean: return std::int64_t{text == "t"};
    case oid::int2:
    case oid::int4:
    case oid::int8:
    case oid::oid:
      if (const auto n = whole_number<std::int64_t>(text)) return *n;
      return text;
    case oid::float4:
    case oid::float8:
      if (const auto n = whole_number<double>(text)) return *n;
      return text;
    default: return text;
  }
}

}  // namespace

void rows::add(std::string_view payload) {
  field_reader fields(payload);
  if (fields.u16() != column_count()) throw protocol_error("a row has other columns than were described");
  const auto body = fields.rest();
  for (std::size_t i = 0; i < column_count(); ++i)
    if (const auto length = fields.u32(); length != null_length) fields.take(length);
  if (row_count_++ > 0) starts_.push_back(static_cast<std::uint32_t>(bytes_.size()));
  bytes_.insert(bytes_.end(), body.begin(), body.end());
}

std::string_view rows::row_bytes(std::size_t row) const {
  return std::string_view(bytes_.data(), bytes_.size()).substr(row == 0 ? 0 : starts_[row - 1]);
}

data::cell rows::read_binary(const column& of, std::string_view bytes) const {
  if (const auto width = width_of(of.type); width != 0 && width != bytes.size()) refuse(of);
  switch (of.type) {
    case oid::boolean: return std::int64_t{bytes == std::string_view("\1", 1)};
    case oid::int2:
    case oid::int4:
    case oid::int8: return read_integer(bytes);
    case oid::oid: return std::int64_t{static_cast<std::uint32_t>(read_integer(bytes))};
    case oid::float4:
    case oid::float8: return read_double(bytes);
    case oid::bytea: return std::as_bytes(std::span(bytes.data(), bytes.size()));
    case oid::interval: return std::string_view(made_.emplace_front(read_interval(bytes)));
    default: refuse(of);
  }
}

data::cell rows::at(std::size_t row, std::size_t column) const {
  const auto bytes = row_bytes(row);
  if (row != last_row_ || column < last_column_) {
    last_row_ = row;
    last_column_ = 0;
    last_at_ = 0;
  }
  field_reader fields(bytes.substr(last_at_));
  for (; last_column_ < column; ++last_column_)
    if (const auto length = fields.u32(); length != null_length) fields.take(length);
  last_at_ = bytes.size() - fields.rest().size();
  const auto length = fields.u32();
  if (length == null_length) return {};
  const auto& of = (*columns_)[column];
  const auto value = fields.take(length);
  return of.format == wire_format::binary ? read_binary(of, value) : read_text(of, value);
}

std::int64_t affected_rows(std::string_view tag) noexcept {
  if (!tag.starts_with("INSERT") && !tag.starts_with("UPDATE") && !tag.starts_with("DELETE") &&
      !tag.starts_with("MERGE"))
    return 0;
  return whole_number<std::int64_t>(tag.substr(tag.rfind(' ') + 1)).value_or(0);
}

}  // namespace corbel::postgres
