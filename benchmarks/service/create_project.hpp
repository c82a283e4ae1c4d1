#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <corbel/base/describe/type_of.hpp>

/// The body of the validated POST, as the projects example has it.
enum class project_status : std::uint8_t { active, archived };
constexpr auto describe(corbel::tag<project_status>) {
  using namespace corbel::rules;
  return enumeration(value("active", project_status::active), value("archived", project_status::archived));
}

struct create_project {
  std::string name;
  std::optional<std::string> description;
  std::int64_t owner_id = 0;
  project_status status = project_status::active;
  std::int32_t priority = 0;
  std::vector<std::string> tags;
  std::optional<corbel::date> due_date;
};
constexpr auto describe(corbel::tag<create_project>) {
  using namespace corbel::rules;
  using p = create_project;
  return object(field("name", &p::name, text().trim().min(3).max(100)),
                field("description", &p::description, text().trim().max(1000)),
                field("ownerId", &p::owner_id, number().min(1)), field("status", &p::status, defaulted()),
                field("priority", &p::priority, number().between(0, 5).defaulted()),
                field("tags", &p::tags, list_of(text().trim().min(1).max(20)).max(10).defaulted()),
                field("dueDate", &p::due_date));
}
