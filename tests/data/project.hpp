#pragma once

#include <optional>
#include <string>
#include <vector>

#include "corbel/base/describe/type_of.hpp"
#include "corbel/data/table.hpp"

/// The entity of the tests.
enum class project_status : std::uint8_t { active, archived };
constexpr auto describe(corbel::tag<project_status>) {
  using namespace corbel::rules;
  return enumeration(value("active", project_status::active), value("archived", project_status::archived));
}

struct money {
  std::int64_t cents = 0;
  friend bool operator==(const money&, const money&) = default;
};
inline std::string to_text(const money& m) {
  return std::to_string(m.cents) + "c";
}
inline std::optional<money> from_text(corbel::tag<money>, std::string_view text) {
  money m;
  if (text.empty() || text.back() != 'c') return {};
  for (const char c : text.substr(0, text.size() - 1)) {
    if (c < '0' || c > '9') return {};
    m.cents = m.cents * 10 + (c - '0');
  }
  return m;
}

struct project {
  corbel::uuid id{};
  std::string name;
  std::optional<std::string> description;
  project_status status = project_status::active;
  int priority = 0;
  double score = 0;
  bool pinned = false;
  money budget;
  std::vector<std::string> tags;
  std::optional<corbel::date> due_date;
  corbel::timestamp created_at{};
  corbel::timestamp updated_at{};
  std::int64_t version = 0;
  std::optional<corbel::timestamp> deleted_at;

  friend bool operator==(const project&, const project&) = default;
};
constexpr auto describe(corbel::tag<project>) {
  using namespace corbel::rules;
  return object(field("id", &project::id), field("name", &project::name),
                field("description", &project::description), field("status", &project::status),
                field("priority", &project::priority), field("score", &project::score),
                field("pinned", &project::pinned), field("budget", &project::budget),
                field("tags", &project::tags), field("dueDate", &project::due_date),
                field("createdAt", &project::created_at), field("updatedAt", &project::updated_at),
                field("version", &project::version), field("deletedAt", &project::deleted_at));
}

inline constexpr char create_projects[] =
    "create table projects (id text primary key not null, name text not null unique, description text, "
    "status text not null, priority integer not null check (priority between 0 and 5), score real not null, "
    "pinned integer not null, budget text not null, tags text not null, due_date text, "
    "created_at text not null, updated_at text not null, version integer not null, deleted_at text)";

constexpr auto table(corbel::tag<project>) {
  return corbel::data::table("projects")
      .version("version")
      .soft_delete("deletedAt")
      .created("createdAt")
      .updated("updatedAt");
}
