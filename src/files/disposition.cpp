#include "files/disposition.hpp"

#include "corbel/http/url.hpp"

namespace corbel::file_access {

std::string attachment(std::string_view name) {
  name = name.substr(name.find_last_of("/\\") + 1);
  std::string exact;
  std::string plain;
  bool same = true;
  for (const char c : name) {
    const auto u = static_cast<unsigned char>(c);
    if (u < 0x20 || u == 0x7f) continue;
    exact += c;
    // '%' too: some clients decode it here.
    const bool readable = u < 0x80 && c != '"' && c != '%';
    same &= readable;
    if (readable || (u & 0xc0) != 0x80)
      plain += readable ? c : '_';  // one for each character, not for each byte
  }
  if (plain.empty()) return "attachment";
  auto text = "attachment; filename=\"" + plain + '"';
  if (!same) text += "; filename*=UTF-8''" + percent_encode(exact);
  return text;
}

}  // namespace corbel::file_access
