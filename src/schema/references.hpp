#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace corbel::schema {

/// The names that schemas of one document have: their places, their `$id` and their anchors.
class reference_table {
 public:
  /// The schema at the JSON pointer `at` calls itself `id`, a reference relative to `base`; gives the base of
  /// what is within it. "#name" is an anchor, and leaves the base as it is.
  std::string name(const std::string& at, std::string_view id, const std::string& base);
  /// What stood at `from` in the document as it was written stands at `to` now.
  void moved(std::string from, std::string to) { moved_.emplace_back(std::move(from), std::move(to)); }
  /// The pointer that a `$ref` below `base` means; empty where it leads out of the document.
  std::optional<std::string> find(std::string_view reference, const std::string& base) const;

 private:
  std::map<std::string, std::string> places_;  // absolute names, an anchor behind '#', to pointers
  std::vector<std::pair<std::string, std::string>> moved_;
};

}  // namespace corbel::schema
