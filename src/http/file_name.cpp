#include <algorithm>
#include <array>

#include "base/json/utf8.hpp"
#include "corbel/http/field.hpp"
#include "corbel/http/multipart.hpp"

namespace corbel {
namespace {

constexpr std::size_t longest_name = 200;  // of the 255 bytes that file systems take, with room for a suffix

/// Invisible marks that change the direction of what follows: they make "exe.png" of "gnp.exe".
bool is_direction_mark(std::string_view three) {
  return three == "\u200e" || three == "\u200f" || (three >= "\u202a" && three <= "\u202e") ||
         (three >= "\u2066" && three <= "\u2069");
}

bool is_device(std::string_view name) {
  static constexpr std::array<std::string_view, 4> words{"con", "prn", "aux", "nul"};
  const auto stem = name.substr(0, name.find('.'));
  if (std::any_of(words.begin(), words.end(), [&](std::string_view w) { return iequals(w, stem); }))
    return true;
  return stem.size() == 4 && stem[3] >= '0' && stem[3] <= '9' &&
         (iequals(stem.substr(0, 3), "com") || iequals(stem.substr(0, 3), "lpt"));
}

/// Cuts at the beginning of a character, and keeps a short extension.
void shorten(std::string& name) {
  if (name.size() <= longest_name) return;
  const auto dot = name.rfind('.');
  const auto extension =
      dot != std::string::npos && name.size() - dot <= 16 ? name.substr(dot) : std::string();
  std::size_t cut = longest_name - extension.size();
  while (cut > 0 && (static_cast<unsigned char>(name[cut]) & 0xc0) == 0x80) --cut;
  name.resize(cut);
  name += extension;
}

}  // namespace

std::string safe_file_name(std::string_view sent) {
  if (const auto slash = sent.find_last_of("/\\"); slash != std::string_view::npos)
    sent.remove_prefix(slash + 1);
  std::string name;
  name.reserve(sent.size());
  const char* at = sent.data();
  const char* const end = at + sent.size();
  while (at != end) {
    const char c = *at;
    const std::size_t size = static_cast<unsigned char>(c) < 0x80 ? 1 : json::utf8_length(at, end);
    if (size <= 1) {
      const bool taken = static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f ||
                         std::string_view("<>:\"|?*").find(c) != std::string_view::npos;
      name += taken ? '_' : c;
      ++at;
      continue;
    }
    if (size != 3 || !is_direction_mark({at, 3})) name.append(at, size);
    at += size;
  }
  name.erase(0, std::min(name.find_first_not_of(". -~"), name.size()));
  shorten(name);
  while (!name.empty() && (name.back() == '.' || name.back() == ' ')) name.pop_back();
  if (name.empty()) return "file";
  return is_device(name) ? '_' + name : name;
}

std::string part_head::safe_name() const {
  return safe_file_name(filename ? std::string_view(*filename) : std::string_view(name));
}

}  // namespace corbel
