#include "schema/trim.hpp"

namespace corbel::schema {
namespace {

bool is_ascii_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/// Whether the three (or two) bytes are one white space beyond ASCII in UTF-8.
bool is_wide_space(std::string_view bytes) {
  if (bytes == "\xc2\xa0") return true;  // U+00A0
  if (bytes.size() != 3) return false;
  if (bytes == "\xe1\x9a\x80" || bytes == "\xe3\x80\x80" || bytes == "\xef\xbb\xbf") return true;
  if (bytes == "\xe2\x81\x9f") return true;  // U+205F
  if (!bytes.starts_with("\xe2\x80")) return false;
  const auto last = static_cast<unsigned char>(bytes[2]);  // U+2000..200A, 2028, 2029, 202F
  return last <= 0x8a || last == 0xa8 || last == 0xa9 || last == 0xaf;
}

std::size_t space_at_front(std::string_view text) {
  if (text.empty()) return 0;
  if (is_ascii_space(text.front())) return 1;
  if (static_cast<unsigned char>(text.front()) < 0x80) return 0;
  if (is_wide_space(text.substr(0, 2))) return 2;
  return is_wide_space(text.substr(0, 3)) ? 3 : 0;
}

std::size_t space_at_back(std::string_view text) {
  if (text.empty()) return 0;
  if (is_ascii_space(text.back())) return 1;
  if (static_cast<unsigned char>(text.back()) < 0x80) return 0;
  if (text.size() >= 2 && is_wide_space(text.substr(text.size() - 2))) return 2;
  return text.size() >= 3 && is_wide_space(text.substr(text.size() - 3)) ? 3 : 0;
}

}  // namespace

std::string_view trimmed(std::string_view text) noexcept {
  while (const std::size_t n = space_at_front(text)) text.remove_prefix(n);
  while (const std::size_t n = space_at_back(text)) text.remove_suffix(n);
  return text;
}

void trim(std::string& text) {
  const auto kept = trimmed(text);
  if (kept.size() == text.size()) return;
  const auto from = static_cast<std::size_t>(kept.data() - text.data());
  const std::size_t size = kept.size();
  text.erase(0, from);
  text.resize(size);
}

}  // namespace corbel::schema
