#include "corbel/data/codec.hpp"

#include <limits>

#include "corbel/base/error.hpp"
#include "corbel/base/json/writer.hpp"
#include "corbel/base/time.hpp"
#include "corbel/base/uuid.hpp"
#include "data/decode_cell.hpp"
#include "data/row_map.hpp"

namespace corbel::data {
namespace {

std::string_view kind_name(const type_descriptor& type) {
  switch (type.kind) {
    case type_kind::boolean: return "a boolean (0 or 1)";
    case type_kind::integer: return "an integer that fits its C++ type";
    case type_kind::floating: return "a number";
    case type_kind::text: return "text";
    case type_kind::timestamp: return "a timestamp as RFC 3339 or SQL text";
    case type_kind::date: return "a date as YYYY-MM-DD";
    case type_kind::uuid: return "a UUID";
    case type_kind::bytes: return "bytes";
    case type_kind::enumeration: return "a name of the enumeration";
    case type_kind::custom: return "text of the form this type has";
    case type_kind::optional: return "an optional value";
    case type_kind::list: return "an array, or a JSON list, of the described elements";
    case type_kind::map:
    case type_kind::object:
    case type_kind::one_of:
    case type_kind::json: return "JSON text of the described shape";
  }
  return "a value";
}

std::string_view cell_name(const cell& from) {
  constexpr std::string_view names[] = {"NULL", "an integer", "a floating point number", "text", "a blob"};
  return names[from.index()];
}

/// The cell itself stays out of the message: values may be personal, and logs travel.
[[noreturn]] void misfit(const cell& from, const type_descriptor& type, std::string_view column) {
  throw failure(
      internal_error("column \"" + std::string(column) + "\" should hold " + std::string(kind_name(type)) +
                     " but holds " + std::string(cell_name(from)) +
                     (is_null(from) ? "; make the member a std::optional or the column NOT NULL"
                                    : " that is none; mend the row, the query or the member's type")));
}

void decode_object(const result_set& rows, std::size_t row, const row_map& fields, void* to) {
  for (const auto& mapped : fields)
    decode(rows.at(row, mapped.column), *mapped.field->type, mapped.field->member(to), mapped.column_name);
}

void require_one_row(const result_set& rows) {
  if (rows.row_count() > 1)
    throw failure(internal_error("query_one got " + std::to_string(rows.row_count()) +
                                 " rows: narrow the condition, add `limit 1`, or use query"));
}

void require_one_column(const result_set& rows) {
  if (rows.column_count() != 1)
    throw failure(internal_error("a row read as a single value needs exactly one column; this query gave " +
                                 std::to_string(rows.column_count())));
}

}  // namespace

value to_value(const cell& from) {
  switch (from.index()) {
    case 1: return std::get<1>(from);
    case 2: return std::get<2>(from);
    case 3: return std::string(std::get<3>(from));
    case 4: return blob(std::get<4>(from).begin(), std::get<4>(from).end());
    default: return {};
  }
}

value encode(const type_descriptor& type, const void* from) {
  switch (type.kind) {
    case type_kind::boolean: return static_cast<std::int64_t>(*static_cast<const bool*>(from));
    case type_kind::integer: {
      if (type.is_signed) return load_integer(type, from);
      const std::uint64_t number = load_unsigned(type, from);
      if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        throw failure(
            malformed("A number is above 9223372036854775807, more than can be stored.", "invalid_value"));
      return static_cast<std::int64_t>(number);
    }
    case type_kind::floating: return load_floating(type, from);
    case type_kind::text: return *static_cast<const std::string*>(from);
    case type_kind::timestamp: return to_text(*static_cast<const timestamp*>(from));
    case type_kind::date: return to_text(*static_cast<const date*>(from));
    case type_kind::uuid: return to_text(*static_cast<const uuid*>(from));
    case type_kind::bytes: return *static_cast<const blob*>(from);
    case type_kind::enumeration: {
      const auto name = type.enumeration->name_of(load_integer(type, from));
      if (name.empty()) throw failure(internal_error("a parameter is an enumerator that has no name"));
      return std::string(name);
    }
    case type_kind::custom: {
      std::string text;
      type.custom->append(text, from);
      return text;
    }
    case type_kind::optional: {
      const void* held = type.optional->get(from);
      return held ? encode(*type.element, held) : value{};
    }
    case type_kind::list:
    case type_kind::map:
    case type_kind::object:
    case type_kind::one_of:
    case type_kind::json: {
      std::string text;
      json::append(text, type, from);
      return text;
    }
  }
  return {};
}

void decode(const cell& from, const type_descriptor& type, void* to, std::string_view column) {
  if (!decode_cell(from, type, to)) misfit(from, type.bare(), column);
}

void decode_rows(const result_set& rows, const type_descriptor& list_type, void* list) {
  const auto& type = *list_type.element;
  if (type.kind == type_kind::object) {
    if (rows.row_count() == 0) return;
    const auto fields = map_row(rows, *type.object);
    for (std::size_t row = 0; row < rows.row_count(); ++row)
      decode_object(rows, row, fields, list_type.list->append(list));
    return;
  }
  require_one_column(rows);
  for (std::size_t row = 0; row < rows.row_count(); ++row)
    decode(rows.at(row, 0), type, list_type.list->append(list), rows.column_name(0));
}

bool decode_one(const result_set& rows, const type_descriptor& type, void* to) {
  require_one_row(rows);
  if (type.kind == type_kind::object) {
    if (rows.row_count() == 0) return false;
    decode_object(rows, 0, map_row(rows, *type.object), to);
    return true;
  }
  require_one_column(rows);
  if (rows.row_count() == 0) return false;
  decode(rows.at(0, 0), type, to, rows.column_name(0));
  return true;
}

struct one_decoder::known_columns {
  const void* shape;
  row_map fields;
};

one_decoder::one_decoder(const type_descriptor& type) : type_(type) {}
one_decoder::~one_decoder() = default;

bool one_decoder::decode(const result_set& rows, void* to) {
  const auto* const shape = rows.shape();
  if (!shape || type_.kind != type_kind::object) return decode_one(rows, type_, to);
  require_one_row(rows);
  if (rows.row_count() == 0) return false;
  if (!known_ || known_->shape != shape) known_.reset(new known_columns{shape, map_row(rows, *type_.object)});
  decode_object(rows, 0, known_->fields, to);
  return true;
}

}  // namespace corbel::data
