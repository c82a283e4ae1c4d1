#pragma once

#include <optional>
#include <string>
#include <vector>

#include "corbel/base/describe/type_of.hpp"

/// The body of the projects example, with every kind of rule it uses.
namespace sample {

enum class project_status { active, archived };
constexpr auto describe(corbel::tag<project_status>) {
  using namespace corbel::rules;
  return enumeration(value("active", project_status::active), value("archived", project_status::archived));
}

struct project {
  std::string name;
  std::optional<std::string> description;
  std::int64_t owner_id = 0;
  project_status status = project_status::active;
  int priority = 0;
  std::vector<std::string> tags;
  std::optional<corbel::date> due_date;
};
constexpr auto describe(corbel::tag<project>) {
  using namespace corbel::rules;
  using p = project;
  return object(field("name", &p::name, text().trim().min(3).max(100)),
                field("description", &p::description, text().max(1000)),
                field("ownerId", &p::owner_id, number().min(1)), field("status", &p::status, defaulted()),
                field("priority", &p::priority, number().between(0, 5).defaulted()),
                field("tags", &p::tags, list_of(text().min(1).max(20)).max(10).defaulted()),
                field("dueDate", &p::due_date));
}

inline constexpr std::string_view project_body =
    R"({"name":"Apollo launch scheduler","description":"Plan and track every task of the launch campaign.",)"
    R"("ownerId":42,"status":"active","priority":3,"tags":["alpha","beta","release"],"dueDate":"2026-12-31"})";

}  // namespace sample
