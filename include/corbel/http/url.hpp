#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace corbel {

/// Undoes percent-encoding, once (RFC 3986, 2.1). False for a broken escape, or a NUL however it
/// is written.
bool percent_decode(std::string_view text, std::string& out);
/// The same for one name or value of a query, where '+' is a space.
bool form_decode(std::string_view text, std::string& out);

/// Encodes all but the unreserved characters (RFC 3986, 2.3).
std::string percent_encode(std::string_view text);
void append_percent_encoded(std::string& out, std::string_view text);

/// The decoded pairs of a query string ("a=1&b=2"), in order; owns its text.
class query_pairs {
 public:
  /// Empty when an escape is broken.
  static std::optional<query_pairs> parse(std::string_view query);

  const std::vector<std::pair<std::string_view, std::string_view>>& pairs() const noexcept { return pairs_; }

 private:
  std::vector<char> text_;  // a vector, whose storage stays where it is when the whole is moved
  std::vector<std::pair<std::string_view, std::string_view>> pairs_;
};

}  // namespace corbel
