#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <corbel/base/describe/type_of.hpp>
#include <corbel/base/result.hpp>
#include <corbel/schema/parse.hpp>

namespace corbel::schema {

/// Checks a JSON merge patch (RFC 7396) for an object of the type, before any object is at hand: the rules of
/// every value it sets, no unknown member, no null where a member is required. `scratch` is a fresh value of
/// the type, of no meaning afterwards.
result<void> check_patch(const type_descriptor& type, void* scratch, std::string_view patch,
                         const parse_options& options = {});

/// Merges the patch into `target`, checks what it sets, and runs the checks across members (`refine`) of
/// every object it touches. After an error `target` is half merged: work on a copy, as merge_patch does.
result<void> apply_patch(const type_descriptor& type, void* target, std::string_view patch,
                         const parse_options& options = {});

/// A merge patch for a T that has passed `check_patch`; owns its text.
///
/// What it leaves out stays. null empties an optional member and gives a defaulted one its default. Objects
/// and maps merge member by member; lists and everything else are replaced.
template <class T>
class merge_patch {
 public:
  static result<merge_patch> parse(std::string text, const parse_options& options = {}) {
    T scratch = T();
    if (auto fine = check_patch(type_of<T>(), &scratch, text, options); !fine) return std::move(fine).error();
    return merge_patch(std::move(text), options.limits);
  }

  /// Merges into `current`, which is unchanged when the merged whole breaks a rule.
  result<void> apply_to(T& current) const {
    T merged = current;
    parse_options options;
    options.limits = limits_;
    if (auto done = apply_patch(type_of<T>(), &merged, text_, options); !done) return done;
    current = std::move(merged);
    return {};
  }

  const std::string& text() const noexcept { return text_; }

 private:
  merge_patch(std::string text, json::limits limits) : text_(std::move(text)), limits_(limits) {}
  std::string text_;
  json::limits limits_;
};

}  // namespace corbel::schema
