#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "corbel/base/describe/type_of.hpp"

namespace {

enum class colour : std::uint8_t { red = 1, blue = 7 };
constexpr auto describe(corbel::tag<colour>) {
  using namespace corbel::rules;
  return enumeration(value("red", colour::red), value("blue", colour::blue));
}

struct circle {
  double radius = 1;
};
constexpr auto describe(corbel::tag<circle>) {
  using namespace corbel::rules;
  return object(field("radius", &circle::radius, number().more_than(0)));
}
struct square {
  double side = 1;
};
constexpr auto describe(corbel::tag<square>) {
  using namespace corbel::rules;
  return object(field("side", &square::side));
}
using shape = std::variant<circle, square>;
constexpr auto describe(corbel::tag<shape>) {
  using namespace corbel::rules;
  return one_of("kind", alternative<circle>("circle"), alternative<square>("square"));
}

struct node {
  std::string name;
  std::optional<std::string> note;
  colour tint = colour::blue;
  std::vector<std::string> tags;
  std::map<std::string, int> counts;
  std::vector<node> children;
  std::vector<shape> shapes;
};
constexpr auto describe(corbel::tag<node>) {
  using namespace corbel::rules;
  return object(field("name", &node::name, text().min(3).max(100).trim()), field("note", &node::note),
                field("tint", &node::tint, defaulted()),
                field("tags", &node::tags, list_of(text().min(1).max(20)).max(10).defaulted()),
                field("counts", &node::counts, defaulted()), field("children", &node::children, defaulted()),
                field("shapes", &node::shapes, defaulted()))
      .refine([](const node& n) { return n.name != "bad"; }, "The name is bad.", "/name");
}

struct named {
  std::string name;
  std::optional<int> rank;
};
constexpr auto describe(corbel::tag<named>) {
  using namespace corbel::rules;
  return object(field("name", &named::name, text().min(2)), field("rank", &named::rank));
}
struct stored : named {
  std::string id;
  int version = 0;
};
constexpr auto describe(corbel::tag<stored>) {
  using namespace corbel::rules;
  return object(field("id", &stored::id), fields_of<named>(), field("version", &stored::version));
}
struct kept : stored {
  bool pinned = false;
};
constexpr auto describe(corbel::tag<kept>) {
  using namespace corbel::rules;
  return object(fields_of<stored>(), field("pinned", &kept::pinned));
}

}  // namespace

TEST_CASE("a described type has one table, members, rules and nesting included") {
  const auto& type = corbel::type_of<node>();
  REQUIRE(type.kind == corbel::type_kind::object);
  CHECK(&type == &corbel::type_of<node>());
  REQUIRE(type.object->field_count == 7);
  const auto* tags = type.object->find("tags");
  REQUIRE(tags);
  CHECK(tags->rules->max_items == 10);
  REQUIRE(tags->rules->items);
  CHECK(tags->rules->items->max_length == 20);
  CHECK_FALSE(tags->required);
  CHECK(type.object->find("name")->required);
  CHECK_FALSE(type.object->find("note")->required);
  CHECK(type.object->find("children")->type->element == &type);
  CHECK(type.object->find("nothing") == nullptr);
}

TEST_CASE("a table reads and writes values it has never seen the type of") {
  node n;
  const auto& object = *corbel::type_of<node>().object;
  *static_cast<std::string*>(object.find("name")->member(&n)) = "Apollo";
  CHECK(n.name == "Apollo");

  const auto* note = object.find("note");
  *static_cast<std::string*>(note->type->optional->emplace(note->member(&n))) = "hello";
  CHECK(n.note == "hello");
  note->type->optional->reset(note->member(&n));
  CHECK_FALSE(n.note);

  const auto* tint = object.find("tint");
  CHECK(tint->type->enumeration->name_of(corbel::load_integer(*tint->type, tint->member(&n))) == "blue");
  CHECK(corbel::store_integer(*tint->type, tint->member(&n), *tint->type->enumeration->value_of("red")));
  CHECK(n.tint == colour::red);
  CHECK_FALSE(corbel::store_integer(*tint->type, tint->member(&n), 256));

  const auto* counts = object.find("counts");
  CHECK(counts->type->map->insert(counts->member(&n), "a") != nullptr);
  CHECK(counts->type->map->insert(counts->member(&n), "a") == nullptr);

  const auto* shapes = object.find("shapes");
  const auto& one = *shapes->type->element->one_of;
  void* made = shapes->type->list->append(shapes->member(&n));
  static_cast<square*>(one.emplace(made, 1))->side = 4;
  CHECK(std::get<square>(n.shapes.front()).side == 4);
  CHECK(one.index(&n.shapes.front()) == 1);

  tint->type->assign(tint->member(&n), tint->member_of(object.defaults()));
  CHECK(n.tint == colour::blue);
  n.name = "bad";
  CHECK_FALSE(object.checks[0].holds(&n));
}

TEST_CASE("the fields of a base class stand in their place, with their rules") {
  const auto& object = *corbel::type_of<kept>().object;
  std::vector<std::string_view> names;
  for (const auto& field : object) names.push_back(field.name);
  CHECK(names == std::vector<std::string_view>{"id", "name", "rank", "version", "pinned"});
  CHECK(object.find("name")->rules->min_length == 2);

  kept value;
  value.name = "Ada";
  value.pinned = true;
  CHECK(object.find("name")->member_of(&value) == &value.name);
  CHECK(object.find("pinned")->member_of(&value) == &value.pinned);
}
