#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <corbel/base/describe/constraints.hpp>

namespace corbel {

// GCC takes a scoped enumerator that is named like a type for one that hides it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
/// How a C++ type travels. JSON, SQL, settings and schemas all switch on it.
enum class type_kind : std::uint8_t {
  boolean,
  integer,      ///< any of 8 to 64 bits, signed or not
  floating,     ///< float or double
  text,         ///< std::string
  timestamp,    ///< corbel::timestamp
  date,         ///< corbel::date
  uuid,         ///< corbel::uuid
  bytes,        ///< std::vector<std::byte>, as base64 where there is only text
  enumeration,  ///< by name
  custom,       ///< by a text form of its own, mostly the user's to_text / from_text
  optional,     ///< std::optional
  list,         ///< std::vector
  map,          ///< std::map or std::unordered_map with std::string keys
  object,       ///< a described class
  one_of,       ///< a described std::variant
  json,         ///< nlohmann::json, taken as it is
};
#pragma GCC diagnostic pop

struct type_descriptor;

/// One member of an object.
struct field_descriptor {
  std::string_view name;
  const type_descriptor* type;
  void* (*member)(void* object);  ///< the member's address
  const constraints* rules;       ///< never null
  bool required;                  ///< neither optional nor defaulted

  const void* member_of(const void* object) const { return member(const_cast<void*>(object)); }
};

struct object_descriptor {
  const field_descriptor* fields;
  std::size_t field_count;
  bool open;  ///< unknown members are ignored
  const custom_check* checks;
  std::size_t check_count;
  const void* (*defaults)();  ///< a value of the type as its initialisers make it

  const field_descriptor* begin() const { return fields; }
  const field_descriptor* end() const { return fields + field_count; }
  /// Null when there is no such field.
  const field_descriptor* find(std::string_view name) const noexcept;
};

struct enum_descriptor {
  const std::string_view* names;
  const std::int64_t* values;
  std::size_t count;

  /// Empty for a value without a name.
  std::string_view name_of(std::int64_t value) const noexcept;
  /// Null for an unknown name.
  const std::int64_t* value_of(std::string_view name) const noexcept;
};

struct custom_text_descriptor {
  void (*append)(std::string& out, const void* value);
  bool (*parse)(std::string_view text, void* value);  ///< false leaves the value as it was
  std::string_view expected;  ///< what such a text is, as the rest of a sentence; empty where nobody says
};

struct optional_descriptor {
  const void* (*get)(const void* optional);  ///< null when empty
  void* (*emplace)(void* optional);          ///< a fresh value inside
  void (*reset)(void* optional);
};

struct list_descriptor {
  std::size_t (*size)(const void* list);
  const void* (*at)(const void* list, std::size_t index);
  void* (*append)(void* list);  ///< a fresh element at the end; earlier addresses may move
  void (*clear)(void* list);
};

struct map_descriptor {
  std::size_t (*size)(const void* map);
  void* (*insert)(void* map, std::string key);  ///< null when the key is there already
  void (*each)(const void* map, void* context,
               void (*visit)(void* context, std::string_view key, const void* value));
  void (*clear)(void* map);
  void* (*find)(void* map, const std::string& key);  ///< null when there is no such key
  void (*erase)(void* map, const std::string& key);
};

struct union_descriptor {
  std::string_view discriminator;
  const std::string_view* names;
  const type_descriptor* const* alternatives;  ///< each of kind object
  std::size_t count;
  std::size_t (*index)(const void* variant);
  const void* (*get)(const void* variant);
  void* (*emplace)(void* variant, std::size_t index);
};

/// The erased form of a described type: a table in static storage, the same for all who use the type. Code
/// that works on tables is compiled once, in the library; only the tables are made in the user's file.
struct type_descriptor {
  type_kind kind;
  bool is_signed = false;  ///< integers and the carrier of enumerations
  std::uint8_t bytes = 0;  ///< size of an integer, a floating, or the carrier of an enumeration
  /// By kind; the rest are null.
  const type_descriptor* element = nullptr;  ///< optional, list, map
  const object_descriptor* object = nullptr;
  const enum_descriptor* enumeration = nullptr;
  const custom_text_descriptor* custom = nullptr;
  const optional_descriptor* optional = nullptr;
  const list_descriptor* list = nullptr;
  const map_descriptor* map = nullptr;
  const union_descriptor* one_of = nullptr;
  void (*assign)(void* to, const void* from) = nullptr;  ///< copies a whole value

  /// The type inside an optional, or this type itself.
  const type_descriptor& bare() const noexcept { return kind == type_kind::optional ? *element : *this; }
};

/// Reads and writes integers and enumerations of any width. `value` must be of a kind that has `bytes`.
std::int64_t load_integer(const type_descriptor& type, const void* value) noexcept;
std::uint64_t load_unsigned(const type_descriptor& type, const void* value) noexcept;
/// False when the number does not fit; the value is then as it was.
bool store_integer(const type_descriptor& type, void* value, std::int64_t number) noexcept;
bool store_unsigned(const type_descriptor& type, void* value, std::uint64_t number) noexcept;
double load_floating(const type_descriptor& type, const void* value) noexcept;
void store_floating(const type_descriptor& type, void* value, double number) noexcept;

}  // namespace corbel
