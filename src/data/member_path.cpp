#include "data/member_path.hpp"

#include <algorithm>
#include <cstddef>
#include <string>

#include "corbel/base/describe/type_of.hpp"

namespace corbel::data {
namespace {

/// Keys stand in SQL as they are.
bool is_plain(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

/// The place among the alternatives of the first that has such a member; their count when none does.
std::size_t alternative_with(const union_descriptor& all, std::string_view key) {
  std::size_t at = 0;
  while (at < all.count && !all.alternatives[at]->object->find(key)) ++at;
  return at;
}

/// What the alternatives that have it agree on; null when they do not, or none has it.
const type_descriptor* common_member(const union_descriptor& all, std::string_view key) {
  const type_descriptor* type = nullptr;
  for (std::size_t i = 0; i < all.count; ++i) {
    const auto* field = all.alternatives[i]->object->find(key);
    if (!field) continue;
    if (type && type != field->type) return nullptr;
    type = field->type;
  }
  return type;
}

/// Null when there is no such member.
const type_descriptor* member_of(const type_descriptor& type, std::string_view key) {
  switch (type.kind) {
    case type_kind::object: {
      const auto* field = type.object->find(key);
      return field ? field->type : nullptr;
    }
    case type_kind::one_of:
      return key == type.one_of->discriminator ? &type_of<std::string>() : common_member(*type.one_of, key);
    case type_kind::map: return type.element;
    case type_kind::json: return &type;
    default: return nullptr;
  }
}

}  // namespace

std::optional<member_path> find_member(const type_descriptor& type, std::string_view name, std::string& why) {
  member_path found;
  const auto dot = name.find('.');
  found.field = type.object->find(name);
  auto rest = found.field || dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
  if (!found.field) found.field = type.object->find(name.substr(0, dot));
  if (!found.field) {
    why = "is no field of the listed type; write it as describe(...) has it";
    return {};
  }
  found.leaf = found.field->type;
  while (!rest.empty()) {
    const auto end = rest.find('.');
    const auto key = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (!is_plain(key)) {
      why = "has a key of other characters than letters, digits and '_'; filter by it in SQL of your own";
      return {};
    }
    const auto& above = found.leaf->bare();
    const bool tells = above.kind == type_kind::one_of && key == above.one_of->discriminator;
    found.tells_apart = tells ? above.one_of : nullptr;
    found.leaf = member_of(above, key);
    if (!found.leaf) {
      why = "goes on with \"" + std::string(key) + "\", which nothing in the described type is called";
      return {};
    }
    found.keys.push_back(key);
  }
  return found;
}

void* member_path::in(void* object) const {
  void* at = field->member(object);
  const auto* type = field->type;
  for (const auto key : keys) {
    if (type->kind == type_kind::optional) {
      at = type->optional->emplace(at);
      type = type->element;
    }
    if (type->kind == type_kind::one_of) {
      const auto which = alternative_with(*type->one_of, key);
      at = type->one_of->emplace(at, which);
      type = type->one_of->alternatives[which];
    }
    if (type->kind == type_kind::object) {
      const auto* member = type->object->find(key);
      at = member->member(at);
      type = member->type;
    } else {
      const std::string name(key);
      void* fresh = type->map->insert(at, name);
      at = fresh ? fresh : type->map->find(at, name);
      type = type->element;
    }
  }
  return at;
}

}  // namespace corbel::data
