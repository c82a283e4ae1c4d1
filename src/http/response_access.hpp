#pragma once

#include <cstdint>
#include <cstring>
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

/// The name of a field, written by us, with what stands between it and its value.
class known_name {
 public:
  consteval explicit known_name(std::string_view text)
      : name_(text.substr(0, text.size() - 2)), text_(text), bit_(detail::name_bit(name_)) {
    if (text.substr(text.size() - 2) != ": ") throw "a known name is \"Name: \"";
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
  void set(const known_line& line) { set(line.name(), line.bit(), line.text()); }
  /// The same with what the compiler knows of it, so that the copy is a few moves in the caller.
  template <const known_line& line>
  void set() {
    constexpr std::size_t size = line.text().size();
    make_way(line.name(), line.bit());
    std::memcpy(r_.headers_.room(size), line.text().data(), size);
    r_.headers_.commit(size);
  }
  /// Sets or replaces a field whose value has `size` bytes: `write` puts them where it is told, and each of
  /// them is known to be allowed.
  template <const known_name& name, class Write>
  void set_written(std::size_t size, Write write) {
    constexpr std::size_t ahead = name.text().size();
    make_way(name.name(), name.bit());
    char* at = r_.headers_.room(ahead + size + 2);
    std::memcpy(at, name.text().data(), ahead);
    write(at + ahead);
    at += ahead + size;
    at[0] = '\r';
    at[1] = '\n';
    r_.headers_.commit(ahead + size + 2);
  }
  /// What `before` hooks have set stands from here on, whatever the handler answers.
  void lay() {
    r_.settle();
    r_.laid_ = r_.headers_.size();
  }
  /// Back to an empty 200 with the fields that were laid; it still closes when it did.
  void reset() noexcept { r_.reset(); }
  /// Adds the fields that `before` hooks have laid into `other` and that this response does not have.
  void lay_from(const response& other) {
    other.settle();
    r_.add_missing(other.header_text().substr(0, other.laid_));
  }
  /// Becomes `made`, and keeps the fields that were laid and that `made` does not have; both sides' cookies.
  void take(response&& made) { r_.take(std::move(made)); }

  /// All fields, in the two pieces that they are kept in.
  static std::pair<std::string_view, std::string_view> fields(const response& r) noexcept {
    return {r.headers_.view(), r.standing_ ? std::string_view(r.standing_->text()) : std::string_view()};
  }

 private:
  void set(std::string_view name, std::uint64_t bit, std::string_view line) {
    make_way(name, bit);
    r_.headers_.append(line);
  }
  void make_way(std::string_view name, std::uint64_t bit) {
    if (r_.names_ & bit) r_.remove(name);
    r_.names_ |= bit;
  }
  response& r_;
};

}  // namespace corbel
