#include "corbel/routing/cookies.hpp"

#include "corbel/base/text_value.hpp"
#include "corbel/schema/fields.hpp"
#include "corbel/schema/parse.hpp"

namespace corbel::detail {
namespace {

/// Reads what the cookie says; false when it does not fit the type, as after a change of the program.
bool read_said(const type_descriptor& type, void* out, std::string_view name, std::string_view text) {
  if (is_scalar(type)) {
    std::vector<violation> found;
    schema::read_one(type, no_rules, out, text, "cookie", name, found);
    return found.empty();
  }
  return schema::parse_into(type, out, text, {.in = "cookie", .limits = {}}).has_value();
}

}  // namespace

void read_guarded_cookie(const request& in, cookie_guard guard, std::string_view name,
                         const type_descriptor& type, void* out, extraction& failed) {
  const auto& keys = *in.services().find<cookie_keys>();  // it is there: the start was refused otherwise
  const auto text =
      guard == cookie_guard::signature ? keys.read_signed(in, name) : keys.read_sealed(in, name);
  const bool may_be_absent = type.kind == type_kind::optional;
  void* const value = may_be_absent && text ? type.optional->emplace(out) : out;
  if (text && read_said(type.bare(), value, name, *text)) return;
  if (may_be_absent) return type.optional->reset(out);
  failed.add(violation{"cookie", '/' + std::string(name), "required",
                       in.cookie(name) ? "is no longer valid; have it set anew" : "is required"});
}

}  // namespace corbel::detail
