#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace corbel {

/// The name of one state of a resource (RFC 9110, 8.8.3): `"v7"`, or weak, `W/"v7"`, which promises the same
/// meaning but not the same bytes.
class entity_tag {
 public:
  /// Throws std::invalid_argument when `opaque` holds a quote, a blank, or a control character.
  static entity_tag strong(std::string_view opaque);
  static entity_tag weak(std::string_view opaque);
  /// A strong tag of a number that changes with every change, such as a row's version.
  static entity_tag of_version(std::int64_t version);
  /// A weak tag of the content itself, from its SHA-256. Weak, since the same content may be sent compressed.
  static entity_tag of_content(std::string_view content);
  /// Exactly one tag as it stands in a field; empty for anything else.
  static std::optional<entity_tag> parse(std::string_view text);

  bool is_weak() const noexcept { return weak_; }
  const std::string& opaque() const noexcept { return opaque_; }

  friend bool operator==(const entity_tag&, const entity_tag&) = default;

 private:
  entity_tag(std::string_view opaque, bool weak) : opaque_(opaque), weak_(weak) {}
  std::string opaque_;
  bool weak_ = false;
};

/// As it goes into the ETag field.
std::string to_text(const entity_tag& tag);

/// The two comparisons of RFC 9110, 8.8.3.2: strongly, a weak tag is the same as nothing; weakly, only the
/// opaque part counts.
bool same_strongly(const entity_tag& a, const entity_tag& b) noexcept;
bool same_weakly(const entity_tag& a, const entity_tag& b) noexcept;

}  // namespace corbel
