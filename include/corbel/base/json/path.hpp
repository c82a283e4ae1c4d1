#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <corbel/base/error.hpp>

namespace corbel::json {

/// Where a value stands in a text: a chain on the stack, from the value up to the root, that costs nothing
/// until a violation asks for its pointer. A `path` and what its name points to outlive its children.
class path {
 public:
  path() = default;  ///< the root
  path(const path& parent, std::string_view name) : parent_(&parent), name_(name) {}
  path(const path& parent, std::size_t index) : parent_(&parent), index_(index), in_list_(true) {}
  path(const path&) = delete;
  path& operator=(const path&) = delete;

  /// The JSON pointer (RFC 6901), such as "/tags/2"; empty for the root.
  std::string pointer() const;

 private:
  void append_to(std::string& out) const;

  const path* parent_ = nullptr;
  std::string_view name_;
  std::size_t index_ = 0;
  bool in_list_ = false;
};

/// Appends "/name", escaped as RFC 6901 asks: '~' is "~0", '/' is "~1".
void append_pointer(std::string& pointer, std::string_view name);

/// Collects what is wrong with one input, up to a limit: a body cannot make us write an endless answer.
class violation_list {
 public:
  explicit violation_list(std::string_view in, std::size_t most = 100) : in_(in), most_(most) {}

  /// `message` is a sentence without its subject: "must be at least 3 characters long".
  void add(const path& at, std::string_view rule, std::string message);
  /// The same with a pointer relative to `at`, such as "/endsAt".
  void add(const path& at, std::string_view below, std::string_view rule, std::string message);

  /// How many there were, those beyond the limit included.
  std::size_t count() const noexcept { return count_; }
  bool empty() const noexcept { return count_ == 0; }
  std::vector<violation> take() { return std::move(all_); }

 private:
  std::string_view in_;
  std::size_t most_;
  std::size_t count_ = 0;
  std::vector<violation> all_;
};

}  // namespace corbel::json
