#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <corbel/base/describe/describe.hpp>
#include <corbel/base/time.hpp>
#include <corbel/base/uuid.hpp>
#include <corbel/data/list_query.hpp>
#include <corbel/data/table.hpp>

enum class task_status : std::uint8_t { todo, doing, done };

constexpr auto describe(corbel::tag<task_status>) {
  using namespace corbel::rules;
  return enumeration(value("todo", task_status::todo), value("doing", task_status::doing),
                     value("done", task_status::done));
}

/// What a client says of a task: POST takes all of it, PATCH a part.
struct task_input {
  std::string title;
  task_status status = task_status::todo;
  std::optional<corbel::date> due_date;
};

constexpr auto describe(corbel::tag<task_input>) {
  using namespace corbel::rules;
  using t = task_input;
  return object(field("title", &t::title, text().trim().min(1).max(200)),
                field("status", &t::status, defaulted()), field("dueDate", &t::due_date));
}

/// A task of a project, as it is stored and shown. (`task` itself is what Corbel calls its coroutines.)
struct project_task : task_input {
  corbel::uuid id{};
  corbel::uuid project_id{};
  corbel::timestamp created_at{};
  corbel::timestamp updated_at{};
};

constexpr auto describe(corbel::tag<project_task>) {
  using namespace corbel::rules;
  using t = project_task;
  return object(field("id", &t::id), field("projectId", &t::project_id), fields_of<task_input>(),
                field("createdAt", &t::created_at), field("updatedAt", &t::updated_at));
}

constexpr auto table(corbel::tag<project_task>) {
  return corbel::data::table("tasks").created("createdAt").updated("updatedAt");
}

inline corbel::data::list_rules list_rules(corbel::tag<project_task>) {
  return {.filterable = {"title", "status", "dueDate", "createdAt", "updatedAt"},
          .sortable = {"title", "status", "dueDate", "createdAt", "updatedAt"},
          .default_sort = "createdAt:desc"};
}
