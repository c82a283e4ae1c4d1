#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include <corbel/base/exact_number.hpp>

namespace corbel {

// GCC takes a scoped enumerator that is named like a type for one that hides it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
/// The shapes of text that a rule may ask for. Each is checked by `schema/format`.
enum class text_format : std::uint8_t { none, email, url, uuid, date_time, date, time, hostname, ipv4, ipv6 };
#pragma GCC diagnostic pop

namespace detail {
/// Tells types apart by address, at compile time.
template <class T>
inline constexpr char type_mark = 0;
}  // namespace detail

/// A check of a caller's own, on the typed value; `value` points to an object of the described type.
struct custom_check {
  bool (*holds)(const void* value) = nullptr;
  std::string_view message;  ///< shown to the client when the check does not hold
  std::string_view
      path;  ///< for a check on a whole object: the pointer it complains about, such as "/endsAt"
  const void* argument = nullptr;  ///< `detail::type_mark` of the type that `holds` reads
};

/// What one value must satisfy, as plain data: the erased form of the builders in `rules.hpp`. `describe`
/// only carries it; `schema/` checks it and publishes it.
struct constraints {
  static constexpr std::size_t most_names = 16;
  static constexpr std::size_t most_checks = 4;

  // Presence.
  bool defaulted = false;  ///< may be left out; then the member keeps what its type's initialiser gives it

  std::string_view example;  ///< the text of such a value, for messages and schemas; empty for none

  // Text. Lengths count code points, as JSON Schema does, after trimming.
  std::size_t min_length = 0;
  std::size_t max_length = std::numeric_limits<std::size_t>::max();
  std::string_view pattern;  ///< RE2 syntax, searched anywhere unless anchored; empty for none
  text_format format = text_format::none;
  std::array<std::string_view, 4> schemes{};  ///< of a url, in lower case; with none, http and https
  std::size_t scheme_count = 0;
  bool file = false;  ///< the path of a file, which messages about settings say
  bool trim = false;  ///< white space at both ends is removed before anything is measured
  std::array<std::string_view, most_names> one_of{};
  std::size_t one_of_count = 0;

  // Numbers.
  bool has_minimum = false;
  bool has_maximum = false;
  bool exclusive_minimum = false;
  bool exclusive_maximum = false;
  exact_number minimum{};
  exact_number maximum{};
  exact_number multiple_of{};  ///< 0 for none

  // Lists and maps.
  std::size_t min_items = 0;
  std::size_t max_items = std::numeric_limits<std::size_t>::max();
  bool unique = false;
  const constraints* items = nullptr;  ///< for every element; null for none

  std::array<custom_check, most_checks> checks{};
  std::size_t check_count = 0;
};

/// Allows every value.
inline constexpr constraints no_rules{};

}  // namespace corbel
