#include "corbel/data/entity.hpp"

#include <stdexcept>

#include "data/names.hpp"

namespace corbel::data {
namespace {

std::string quoted_name(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

void require(bool fits, const data::table& table, std::string_view field, std::string_view what) {
  if (!fits)
    throw std::logic_error("corbel: the field \"" + std::string(field) + "\" of table \"" +
                           std::string(table.name()) + "\" must be " + std::string(what));
}

}  // namespace

entity::entity(const type_descriptor& type, const data::table& table)
    : type_(&type), table_(table), sql_name_(quoted_name(table.name())) {
  columns_.reserve(type.object->field_count);
  for (const auto& field : *type.object) {
    columns_.push_back({&field, quoted_name(snake_case(field.name)), table.is_generated(field.name)});
    sql_columns_ += (sql_columns_.empty() ? "" : ", ") + columns_.back().sql;
  }
  key_ = find(table.key());
  version_ = find(table.version());
  deleted_ = find(table.soft_delete());
  created_ = find(table.created());
  updated_ = find(table.updated());
  require(key_ && key_->field->type->kind != type_kind::optional, table, table.key(),
          "described, and never null");
  if (version_)
    require(version_->field->type->kind == type_kind::integer, table, table.version(), "an integer");
  if (deleted_)
    require(deleted_->field->type->kind == type_kind::optional &&
                deleted_->field->type->element->kind == type_kind::timestamp,
            table, table.soft_delete(), "a std::optional<timestamp>");
  for (const column* stamp : {created_, updated_})
    if (stamp)
      require(stamp->field->type->kind == type_kind::timestamp, table, stamp->field->name, "a timestamp");
}

const entity::column* entity::find(std::string_view field) const noexcept {
  if (field.empty()) return nullptr;
  for (const auto& each : columns_)
    if (each.field->name == field) return &each;
  return nullptr;
}

}  // namespace corbel::data
