#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <corbel/base/describe/describe.hpp>
#include <corbel/base/time.hpp>
#include <corbel/base/uuid.hpp>
#include <corbel/data/list_query.hpp>
#include <corbel/data/table.hpp>

enum class project_status : std::uint8_t { active, archived };

constexpr auto describe(corbel::tag<project_status>) {
  using namespace corbel::rules;
  return enumeration(value("active", project_status::active), value("archived", project_status::archived));
}

/// What a client says of a project: POST and PUT take all of it, PATCH a part.
struct project_input {
  std::string name;
  std::optional<std::string> description;
  project_status status = project_status::active;
  int priority = 0;
  std::vector<std::string> tags;
  std::optional<corbel::date> due_date;
};

constexpr auto describe(corbel::tag<project_input>) {
  using namespace corbel::rules;
  using p = project_input;
  return object(field("name", &p::name, text().trim().min(3).max(100)),
                field("description", &p::description, text().trim().max(1000)),
                field("status", &p::status, defaulted()),
                field("priority", &p::priority, number().between(0, 5).defaulted()),
                field("tags", &p::tags, list_of(text().trim().min(1).max(20)).max(10).defaulted()),
                field("dueDate", &p::due_date));
}

/// A project as it is stored and shown.
struct project : project_input {
  corbel::uuid id{};
  corbel::timestamp created_at{};
  corbel::timestamp updated_at{};
};

constexpr auto describe(corbel::tag<project>) {
  using namespace corbel::rules;
  return object(field("id", &project::id), fields_of<project_input>(),
                field("createdAt", &project::created_at), field("updatedAt", &project::updated_at));
}

constexpr auto table(corbel::tag<project>) {
  return corbel::data::table("projects").created("createdAt").updated("updatedAt");
}

/// A project that a search has found.
struct project_hit {
  project found;
  std::optional<std::string> excerpt;  ///< of the description, as safe HTML; where the database can make one
};

constexpr auto describe(corbel::tag<project_hit>) {
  using namespace corbel::rules;
  return object(field("project", &project_hit::found), field("excerpt", &project_hit::excerpt));
}

inline corbel::data::list_rules list_rules(corbel::tag<project>) {
  return {.filterable = {"name", "status", "priority", "tags", "dueDate", "createdAt", "updatedAt"},
          .sortable = {"name", "status", "priority", "dueDate", "createdAt", "updatedAt"},
          .default_sort = "createdAt:desc"};
}
