#pragma once

#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

namespace corbel {

/// What a service has on offer, the best first: `{"application/json", "text/csv"}`. A view: its elements must
/// outlive the call that it is given to.
class choices {
 public:
  choices(std::initializer_list<std::string_view> all) : all_(all.begin(), all.size()) {}
  choices(std::span<const std::string_view> all) : all_(all) {}
  choices(const std::vector<std::string_view>& all) : all_(all) {}

  auto begin() const noexcept { return all_.begin(); }
  auto end() const noexcept { return all_.end(); }
  bool empty() const noexcept { return all_.empty(); }
  std::string_view front() const noexcept { return all_.front(); }

 private:
  std::span<const std::string_view> all_;
};

}  // namespace corbel
