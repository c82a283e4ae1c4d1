#pragma once

#include <optional>
#include <string_view>

#include <corbel/http/choices.hpp>
#include <corbel/http/request.hpp>
#include <corbel/http/response.hpp>

namespace corbel {

// Content negotiation (RFC 9110, 12.5). Fields of one name count as one list. A member of a list that cannot
// be read is passed over, and so is what stands behind the hundredth; a weight ("q") is 0 to 1. Beyond RFC
// 9110 what common clients send is read, too: weights such as ".2" and "0.80000", "*" for "*/*", and blanks
// around "=". A reply that was chosen so says it by `vary`.

/// What a client thinks of one media type.
struct type_preference {
  int quality = 1000;  ///< its weight in thousandths; 0 refuses it
  /// How closely the client named it: 0 not at all, 1 by */*, 2 by type/*, 3 by its name, more with
  /// parameters.
  int closeness = 0;
};
/// By the most specific range of `accept` that matches. Without the field, or without one readable member,
/// everything is as welcome. A range that asks for charset=utf-8 matches a type that names no charset.
type_preference preference_for(std::optional<std::string_view> accept, std::string_view type);

/// The type that the client likes best, of equal ones the first offered; empty when it takes none of them.
std::string_view best_type(std::optional<std::string_view> accept, choices offered);
std::string_view best_type(const request& in, choices offered);

/// The content coding to use: one of `offered`, such as {"br", "gzip"}, or "identity"; empty when the client
/// refuses all of it, identity too. Without the field it is identity.
std::string_view preferred_encoding(std::optional<std::string_view> accept_encoding, choices offered);
std::string_view preferred_encoding(const request& in, choices offered);

/// The language to answer in. A range such as `de` fits `de` and `de-AT` (RFC 4647, 3.3.1); `de-CH` fits `de`
/// where nothing is closer (3.4). When nothing fits it is the first offered, since a page in another language
/// is worth more than none. Precondition: something is offered.
std::string_view preferred_language(std::optional<std::string_view> accept_language, choices offered);
std::string_view preferred_language(const request& in, choices offered);

/// Adds a field name to Vary (RFC 9110, 12.5.5) beside those it has, once. Whoever lets a request's field
/// decide about a reply says so, or a cache will serve it to the wrong client.
void vary(response& out, std::string_view field_name);

}  // namespace corbel
