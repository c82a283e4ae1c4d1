#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "corbel/base/describe/type_of.hpp"

/// Bodies for tests that compare two readings of the same text. Nothing here trims or refines: a JSON Schema
/// cannot say either.
namespace sample::bodies {

enum class state { active, archived };
constexpr auto describe(corbel::tag<state>) {
  using namespace corbel::rules;
  return enumeration(value("active", state::active), value("archived", state::archived));
}

struct project {
  std::string name;
  std::optional<std::string> description;
  std::int64_t owner_id = 0;
  state status = state::active;
  std::optional<state> former;
  int priority = 0;
  std::vector<std::string> tags;
  std::optional<corbel::date> due_date;
};
constexpr auto describe(corbel::tag<project>) {
  using namespace corbel::rules;
  using p = project;
  // As the projects example, but untrimmed: a schema cannot say that white space does not count.
  return object(
      field("name", &p::name, text().min(3).max(100)), field("description", &p::description, text().max(80)),
      field("ownerId", &p::owner_id, number().min(1)), field("status", &p::status, defaulted()),
      field("former", &p::former), field("priority", &p::priority, number().between(0, 5).defaulted()),
      field("tags", &p::tags, list_of(text().min(1).max(20)).max(10).defaulted()),
      field("dueDate", &p::due_date));
}

struct line {
  std::string sku;
  std::uint8_t count = 1;
  float price = 0;
};
constexpr auto describe(corbel::tag<line>) {
  using namespace corbel::rules;
  return object(field("sku", &line::sku, text().pattern("^[A-Z]{2}-[0-9]+$")),
                field("count", &line::count, number().min(1).multiple_of(3)),
                field("price", &line::price, number().more_than(0).less_than(100)));
}
struct customer {
  std::string mail;
  std::optional<corbel::uuid> id;
  bool friendly = false;
};
constexpr auto describe(corbel::tag<customer>) {
  using namespace corbel::rules;
  return object(field("mail", &customer::mail, text().email()), field("id", &customer::id),
                field("friendly", &customer::friendly, defaulted()))
      .open();
}
struct order {
  customer buyer;
  std::optional<customer> payer;
  std::vector<line> lines;
  std::map<std::string, std::int16_t> counts;
  corbel::timestamp at{};
  std::vector<std::vector<double>> grid;
  std::vector<order> parts;
  nlohmann::json free;
};
constexpr auto describe(corbel::tag<order>) {
  using namespace corbel::rules;
  return object(field("buyer", &order::buyer), field("payer", &order::payer),
                field("lines", &order::lines, list_of().min(1).max(4)),
                field("counts", &order::counts, list_of(number().max(99)).max(3).defaulted()),
                field("at", &order::at),
                field("grid", &order::grid, list_of(list_of().min(1).unique()).defaulted()),
                field("parts", &order::parts, defaulted()), field("free", &order::free, defaulted()));
}

struct circle {
  double radius = 1;
};
constexpr auto describe(corbel::tag<circle>) {
  using namespace corbel::rules;
  return object(field("radius", &circle::radius, number().more_than(0)));
}
struct square {
  std::uint16_t side = 1;
  std::optional<std::string> note;
};
constexpr auto describe(corbel::tag<square>) {
  using namespace corbel::rules;
  return object(field("side", &square::side), field("note", &square::note, text().max(5)));
}
using shape = std::variant<circle, square>;
constexpr auto describe(corbel::tag<shape>) {
  using namespace corbel::rules;
  return one_of("kind", alternative<circle>("circle"), alternative<square>("square"));
}
struct drawing {
  shape main;
  std::optional<shape> extra;
};
constexpr auto describe(corbel::tag<drawing>) {
  using namespace corbel::rules;
  return object(field("main", &drawing::main), field("extra", &drawing::extra));
}

}  // namespace sample::bodies
