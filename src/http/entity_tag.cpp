#include "corbel/http/entity_tag.hpp"

#include <algorithm>
#include <stdexcept>

#include "corbel/base/encoding.hpp"
#include "corbel/crypto/hash.hpp"
#include "http/tag_list.hpp"

namespace corbel {
namespace {

bool is_tag_character(char c) {
  const auto u = static_cast<unsigned char>(c);
  return u > 0x20 && u != '"' && u != 0x7f;
}

std::string_view checked(std::string_view opaque) {
  if (!std::all_of(opaque.begin(), opaque.end(), is_tag_character))
    throw std::invalid_argument(
        "an entity tag holds neither quotes nor blanks nor control characters; encode it, as by "
        "to_base64url");
  return opaque;
}

}  // namespace

entity_tag entity_tag::strong(std::string_view opaque) {
  return {checked(opaque), false};
}
entity_tag entity_tag::weak(std::string_view opaque) {
  return {checked(opaque), true};
}
entity_tag entity_tag::of_version(std::int64_t version) {
  return {'v' + std::to_string(version), false};
}
entity_tag entity_tag::of_content(std::string_view content) {
  constexpr std::size_t enough = 18;  // bytes of the hash: 24 characters, and no two contents meet
  return {to_base64url(crypto::sha256(content).view().substr(0, enough)), true};
}

std::optional<entity_tag> entity_tag::parse(std::string_view text) {
  const auto tag = take_tag(text);
  if (!tag || !text.empty()) return {};
  return entity_tag(tag->opaque, tag->weak);
}

std::string to_text(const entity_tag& tag) {
  return (tag.is_weak() ? "W/\"" : "\"") + tag.opaque() + '"';
}

bool same_strongly(const entity_tag& a, const entity_tag& b) noexcept {
  return !a.is_weak() && !b.is_weak() && a.opaque() == b.opaque();
}
bool same_weakly(const entity_tag& a, const entity_tag& b) noexcept {
  return a.opaque() == b.opaque();
}

std::optional<tag_view> take_tag(std::string_view& rest) noexcept {
  const bool weak = rest.substr(0, 2) == "W/";
  const std::size_t from = weak ? 3 : 1;
  if (rest.size() <= from || rest[from - 1] != '"') return {};
  const auto to = rest.find('"', from);
  if (to == std::string_view::npos) return {};
  const tag_view found{rest.substr(from, to - from), weak};
  if (!std::all_of(found.opaque.begin(), found.opaque.end(), is_tag_character)) return {};
  rest.remove_prefix(to + 1);
  return found;
}

}  // namespace corbel
