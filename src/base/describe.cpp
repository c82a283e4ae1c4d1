#include <cstring>
#include <utility>

#include "corbel/base/describe/type.hpp"

namespace corbel {

const field_descriptor* object_descriptor::find(std::string_view name) const noexcept {
  for (const auto& field : *this)
    if (field.name == name) return &field;
  return nullptr;
}

std::string_view enum_descriptor::name_of(std::int64_t value) const noexcept {
  for (std::size_t i = 0; i < count; ++i)
    if (values[i] == value) return names[i];
  return {};
}

const std::int64_t* enum_descriptor::value_of(std::string_view name) const noexcept {
  for (std::size_t i = 0; i < count; ++i)
    if (names[i] == name) return &values[i];
  return nullptr;
}

namespace {

template <class T>
T read(const void* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <class T>
void write(void* to, T value) noexcept {
  std::memcpy(to, &value, sizeof value);
}

template <class T, class Wide>
bool store(void* to, Wide number) noexcept {
  if (!std::in_range<T>(number)) return false;
  write(to, static_cast<T>(number));
  return true;
}

template <class Wide>
bool store_any(const type_descriptor& type, void* to, Wide number) noexcept {
  if (type.is_signed) switch (type.bytes) {
      case 1: return store<std::int8_t>(to, number);
      case 2: return store<std::int16_t>(to, number);
      case 4: return store<std::int32_t>(to, number);
      default: return store<std::int64_t>(to, number);
    }
  switch (type.bytes) {
    case 1: return store<std::uint8_t>(to, number);
    case 2: return store<std::uint16_t>(to, number);
    case 4: return store<std::uint32_t>(to, number);
    default: return store<std::uint64_t>(to, number);
  }
}

}  // namespace

std::int64_t load_integer(const type_descriptor& type, const void* value) noexcept {
  if (type.is_signed) switch (type.bytes) {
      case 1: return read<std::int8_t>(value);
      case 2: return read<std::int16_t>(value);
      case 4: return read<std::int32_t>(value);
      default: return read<std::int64_t>(value);
    }
  return static_cast<std::int64_t>(load_unsigned(type, value));
}

std::uint64_t load_unsigned(const type_descriptor& type, const void* value) noexcept {
  switch (type.bytes) {
    case 1: return read<std::uint8_t>(value);
    case 2: return read<std::uint16_t>(value);
    case 4: return read<std::uint32_t>(value);
    default: return read<std::uint64_t>(value);
  }
}

bool store_integer(const type_descriptor& type, void* value, std::int64_t number) noexcept {
  return store_any(type, value, number);
}

bool store_unsigned(const type_descriptor& type, void* value, std::uint64_t number) noexcept {
  return store_any(type, value, number);
}

double load_floating(const type_descriptor& type, const void* value) noexcept {
  return type.bytes == sizeof(float) ? static_cast<double>(read<float>(value)) : read<double>(value);
}

void store_floating(const type_descriptor& type, void* value, double number) noexcept {
  if (type.bytes == sizeof(float))
    write(value, static_cast<float>(number));
  else
    write(value, number);
}

}  // namespace corbel
