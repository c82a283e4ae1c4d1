#include "corbel/http/services.hpp"

namespace corbel {

void* services::find(type_key key) const noexcept {
  for (const auto& each : all_)
    if (each.key == key) return each.object.get();
  return nullptr;
}

bool services::add(type_key key, std::string_view name, std::shared_ptr<void> object) {
  if (find(key)) return false;
  all_.push_back({key, name, std::move(object)});
  return true;
}

}  // namespace corbel
