#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>

/// The rules of create_project, as one writes them by hand in a server that has none.
namespace peer {

using nlohmann::json;

inline bool text_of(const json& in, const char* name, std::size_t least, std::size_t most) {
  const auto at = in.find(name);
  if (at == in.end() || !at->is_string()) return false;
  const auto size = at->get_ref<const std::string&>().size();
  return size >= least && size <= most;
}

inline bool is_project(const json& in) {
  if (!in.is_object() || !text_of(in, "name", 3, 100)) return false;
  if (in.contains("description") && !text_of(in, "description", 0, 1000)) return false;
  if (!in.contains("ownerId") || !in["ownerId"].is_number_integer() || in["ownerId"] < 1) return false;
  if (in.contains("tags") && (!in["tags"].is_array() || in["tags"].size() > 10)) return false;
  return !in.contains("dueDate") || text_of(in, "dueDate", 10, 10);
}

}  // namespace peer
