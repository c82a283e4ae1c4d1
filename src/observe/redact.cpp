#include "observe/redact.hpp"

#include <algorithm>

namespace corbel::observe {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_separator(char c) {
  return c == '-' || c == '_' || c == '.' || c == ' ';
}

/// Lower case, without separators: "X-Api-Key" and "xApiKey" are the same name.
std::string bare_name(std::string_view name) {
  std::string out;
  for (const char c : name)
    if (!is_separator(c)) out += lower(c);
  return out;
}

/// Where an authority ends: RFC 3986's delimiters, and what surrounds a URL in a sentence.
bool ends_authority(char c) {
  return c == '/' || c == '?' || c == '#' || c == '"' || c == '\'' || c == '<' || c == '>' ||
         static_cast<unsigned char>(c) <= ' ';
}

constexpr std::string_view assignment = "password=";

/// The next "password=" at or after `from`, in any case; npos when there is none.
std::size_t find_assignment(std::string_view text, std::size_t from) {
  for (auto at = text.find('=', from); at != text.npos; at = text.find('=', at + 1)) {
    if (at + 1 < assignment.size()) continue;
    const auto start = at + 1 - assignment.size();
    if (start >= from &&
        std::equal(assignment.begin(), assignment.end(), text.begin() + static_cast<std::ptrdiff_t>(start),
                   [](char a, char b) { return a == lower(b); }))
      return start;
  }
  return text.npos;
}

/// The end of the value that stands at `from`: quoted, or up to a blank, '&', ';' or ','.
std::size_t end_of_value(std::string_view text, std::size_t from) {
  if (from < text.size() && (text[from] == '\'' || text[from] == '"')) {
    const char quote = text[from];
    for (auto at = from + 1; at < text.size(); ++at) {
      if (text[at] == '\\')
        ++at;
      else if (text[at] == quote)
        return at + 1;
    }
    return text.size();
  }
  return std::min(text.size(), text.find_first_of(" \t\r\n&;,\"'", from));
}

void hide_assignments(std::string& text) {
  for (auto at = find_assignment(text, 0); at != text.npos;) {
    const auto value = at + assignment.size();
    text.replace(value, end_of_value(text, value) - value, redacted);
    at = find_assignment(text, value + redacted.size());
  }
}

void hide_in_urls(std::string& text) {
  for (auto at = text.find("://"); at != text.npos; at = text.find("://", at + 3)) {
    const auto start = at + 3;
    auto end = start;
    while (end < text.size() && !ends_authority(text[end])) ++end;
    // The last @ of the authority: people forget to encode those of their passwords.
    const auto host = std::string_view(text).substr(start, end - start).rfind('@');
    if (host == text.npos) continue;
    const auto colon = std::string_view(text).substr(start, host).find(':');
    if (colon == text.npos) continue;
    text.replace(start + colon + 1, host - colon - 1, redacted);
  }
}

}  // namespace

secret_names::secret_names(const std::vector<std::string>& secrets,
                           const std::vector<std::string>& revealed) {
  for (const auto& word : secrets)
    if (auto name = bare_name(word); !name.empty()) words_.push_back(std::move(name));
  for (const auto& name : revealed) revealed_.push_back(bare_name(name));
}

bool secret_names::covers(std::string_view name) const {
  const auto asked = bare_name(name);
  const auto held = [&](const std::string& word) { return asked.find(word) != asked.npos; };
  return std::any_of(words_.begin(), words_.end(), held) &&
         std::find(revealed_.begin(), revealed_.end(), asked) == revealed_.end();
}

bool may_hold_password(std::string_view text) noexcept {
  return text.find("://") != text.npos || find_assignment(text, 0) != text.npos;
}

std::string without_passwords(std::string_view text) {
  std::string out(text);
  hide_in_urls(out);
  hide_assignments(out);
  return out;
}

}  // namespace corbel::observe
