#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "corbel/http/response.hpp"
#include "http/controls.hpp"

namespace corbel {

/// One line of a head, "Name: value\r\n", written by us: the compiler checks it, so that nobody needs to
/// again.
class known_line {
 public:
  consteval known_line(std::string_view name, std::string_view text)
      : name_(name), text_(text), bit_(detail::name_bit(name)) {
    if (text.substr(0, name.size()) != name || text.substr(name.size(), 2) != ": " ||
        text.substr(text.size() - 2) != "\r\n")
      throw "a known line is \"Name: value\\r\\n\", and its name that of the line";
    for (const char c : text.substr(0, text.size() - 2))
      if (detail::is_control(c) || c == '\t') throw "a known line holds a control character";
  }
  constexpr std::string_view name() const noexcept { return name_; }
  constexpr std::string_view text() const noexcept { return text_; }
  constexpr std::uint64_t bit() const noexcept { return bit_; }

 private:
  std::string_view name_;
  std::string_view text_;
  std::uint64_t bit_;
};

inline constexpr known_line json_content("Content-Type", "Content-Type: application/json\r\n");
inline constexpr known_line problem_content("Content-Type", "Content-Type: application/problem+json\r\n");
inline constexpr known_line text_content("Content-Type", "Content-Type: text/plain; charset=utf-8\r\n");

/// The library's own way into a response. Not for users.
class response_access {
 public:
  explicit response_access(response& r) : r_(r) {}

  /// Sets or replaces a field.
  void set(const known_line& line) {
    make_way(line.name(), line.bit());
    r_.headers_.append(line.text());
  }
  /// `line` is that of `name`, each byte of it known to be allowed.
  void set(std::string_view name, std::string_view line) {
    make_way(name, detail::name_bit(name));
    r_.headers_.append(line);
  }
  /// What `before` hooks have set stands from here on, whatever the handler answers.
  void lay() noexcept { r_.laid_ = r_.headers_.size(); }
  /// Back to an empty 200 with the fields that were laid; it still closes when it did.
  void reset() noexcept { r_.reset(); }
  /// Becomes `made`, and keeps the fields that were laid and that `made` does not have; both sides' cookies.
  void take(response&& made) { r_.take(std::move(made)); }

 private:
  void make_way(std::string_view name, std::uint64_t bit) {
    if (r_.names_ & bit) r_.remove(name);
    r_.names_ |= bit;
  }
  response& r_;
};

}  // namespace corbel
