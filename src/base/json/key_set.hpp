#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace corbel::json {

/// The keys of one object, to find a duplicate. A few are compared one by one; many go into a balanced tree,
/// whose cost a hostile choice of keys cannot raise as it can a hash table's.
class key_set {
 public:
  /// False when the key was there.
  bool insert(std::string_view key) {
    if (!many_.empty()) return many_.emplace(key).second;
    for (const auto& known : few_)
      if (known == key) return false;
    few_.emplace_back(key);
    if (few_.size() > most_few) many_.insert(few_.begin(), few_.end());
    return true;
  }

 private:
  static constexpr std::size_t most_few = 12;
  std::vector<std::string> few_;
  std::set<std::string, std::less<>> many_;
};

}  // namespace corbel::json
