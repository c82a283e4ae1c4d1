#pragma once

#include <string_view>

#include <corbel/base/describe/type_of.hpp>
#include <corbel/base/json/limits.hpp>
#include <corbel/base/json/path.hpp>
#include <corbel/base/result.hpp>

namespace corbel::json {

/// Checks values as they are decoded. `schema/` implements it, so that one pass over the text both decodes
/// and validates.
class value_checker {
 public:
  virtual ~value_checker() = default;
  /// After `value`, of the type that `type` describes (never an optional), was read under `rules`. `intact`
  /// is false when something below it was refused already. May change the value, such as trim a text.
  virtual void value(const type_descriptor& type, const constraints& rules, void* value, const path& at,
                     bool intact, violation_list& found) = 0;
  /// After an object whose members were all accepted.
  virtual void object(const object_descriptor& object, const void* value, const path& at,
                      violation_list& found) = 0;
};

enum class decode_mode : std::uint8_t {
  whole,    ///< the text is the value
  merge,    ///< the text is a merge patch (RFC 7396) onto the value that `out` holds
  partial,  ///< as merge, but onto nothing: only what the patch itself says is checked, and `out` is scratch
};

struct decode_options {
  std::string_view in = "body";  ///< `violation::in`
  json::limits limits{};
  std::size_t most_violations = 100;
  decode_mode mode = decode_mode::whole;
  value_checker* checker = nullptr;
};

/// Reads a JSON text straight into a described value, in one pass and without a DOM.
///
/// Text that is not JSON (syntax, UTF-8, a duplicate key, nesting beyond the limit) is one
/// `error_kind::malformed` that names the byte. JSON that does not fit the type is one `error_kind::invalid`
/// with every violation: wrong types, missing and unknown members, numbers out of a member's range, unknown
/// names, bad dates. After an error `out` holds a value of no meaning.
///
/// `null` is taken only by optionals and json members. Members that the text leaves out keep what `out`
/// holds: pass a fresh value. Of a discriminated union the discriminator may stand anywhere in its object.
///
/// A merge patch keeps what it leaves out, merges objects and maps, replaces everything else; null empties an
/// optional, gives a defaulted member its default, removes a key of a map, and is refused for a required
/// member. A union merges while its alternative stays; another discriminator starts that alternative anew.
result<void> decode(const type_descriptor& type, void* out, std::string_view text,
                    const decode_options& options = {});

/// "must be at least 3", "must be less than 10": what the minimum or maximum of a rule asks.
std::string bound_message(const constraints& rules, bool above);

/// Reads a T without its rules; `schema::parse` applies them too.
template <class T>
result<T> parse(std::string_view text, const decode_options& options = {}) {
  T value = T();
  if (auto done = decode(type_of<T>(), &value, text, options); !done) return std::move(done).error();
  return value;
}

}  // namespace corbel::json
