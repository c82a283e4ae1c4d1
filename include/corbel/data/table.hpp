#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <tuple>

#include <corbel/base/describe/describe.hpp>
#include <corbel/base/describe/type_of.hpp>

namespace corbel::data {

/// Where a described type is stored. Written once beside the type, as `describe` is:
/// ```
/// constexpr auto table(corbel::tag<project>) {
///   return corbel::data::table("projects").version("version").created("createdAt").updated("updatedAt");
/// }
/// ```
/// Fields are given by their wire names; columns are their snake_case.
class table {
 public:
  constexpr explicit table(std::string_view name) : name_(name) {}

  /// The primary key; "id" unless told. A nil UUID is made (version 7) and an integer 0 is left to the
  /// database when a row is inserted.
  constexpr table key(std::string_view field) const { return with(&table::key_, field); }
  /// An integer that counts the changes of a row, from 1: a change to a row that someone else changed since
  /// it was read is a conflict, "version_mismatch".
  constexpr table version(std::string_view field) const { return with(&table::version_, field); }
  /// An optional timestamp: removing a row sets it, and every other operation passes over such rows.
  constexpr table soft_delete(std::string_view field) const { return with(&table::deleted_, field); }
  /// Timestamps that are set when a row is inserted, and whenever it changes.
  constexpr table created(std::string_view field) const { return with(&table::created_, field); }
  constexpr table updated(std::string_view field) const { return with(&table::updated_, field); }
  /// A field that the database computes (`generated always as`, a trigger): it is read, and never written.
  /// Once for each such field, up to eight.
  constexpr table generated(std::string_view field) const {
    auto copy = *this;
    copy.generated_.at(copy.generated_count_++) = field;
    return copy;
  }
  /// What one row is called in errors: "project" gives "project_not_found". The table's name without its
  /// last "s" unless told.
  constexpr table singular(std::string_view word) const { return with(&table::singular_, word); }

  constexpr std::string_view name() const { return name_; }
  constexpr std::string_view key() const { return key_; }
  constexpr std::string_view version() const { return version_; }
  constexpr std::string_view soft_delete() const { return deleted_; }
  constexpr std::string_view created() const { return created_; }
  constexpr std::string_view updated() const { return updated_; }
  constexpr std::span<const std::string_view> generated() const {
    return std::span(generated_).first(generated_count_);
  }
  constexpr bool is_generated(std::string_view field) const {
    for (const auto one : generated())
      if (one == field) return true;
    return false;
  }
  constexpr std::string_view singular() const {
    if (!singular_.empty()) return singular_;
    return name_.ends_with('s') ? name_.substr(0, name_.size() - 1) : name_;
  }

 private:
  constexpr table with(std::string_view table::*member, std::string_view text) const {
    auto copy = *this;
    copy.*member = text;
    return copy;
  }
  std::string_view name_;
  std::string_view key_ = "id";
  std::string_view version_;
  std::string_view deleted_;
  std::string_view created_;
  std::string_view updated_;
  std::string_view singular_;
  std::array<std::string_view, 8> generated_{};
  std::size_t generated_count_ = 0;
};

}  // namespace corbel::data

namespace corbel::detail {

// Outside of corbel::data, where the class would hide the user's functions of the same name.
template <class T>
concept has_table = requires {
  table(tag<T>{});
};
template <class T>
constexpr auto find_table() {
  return table(tag<T>{});
}

template <class T>
constexpr bool has_field(std::string_view name) {
  return name.empty() || std::apply([&](const auto&... field) { return ((field.name == name) || ...); },
                                    description<T>.fields);
}

template <class T>
constexpr bool has_fields(std::span<const std::string_view> names) {
  for (const auto name : names)
    if (!has_field<T>(name)) return false;
  return true;
}

/// False after a mistake that leaves nothing to go on with.
template <class T>
constexpr bool check_table() {
  static_assert(described<T>, "corbel: write `constexpr auto describe(corbel::tag<T>)` beside this type");
  static_assert(has_table<T>, "corbel: write `constexpr auto table(corbel::tag<T>)` beside this type");
  if constexpr (described<T> && has_table<T>) {
    constexpr auto t = find_table<T>();
    static_assert(has_field<T>(t.key()), "corbel: the key of table(...) is no field of describe(...)");
    static_assert(has_field<T>(t.version()),
                  "corbel: the version of table(...) is no field of describe(...)");
    static_assert(has_field<T>(t.soft_delete()),
                  "corbel: the soft_delete of table(...) is no field of describe(...)");
    static_assert(has_field<T>(t.created()),
                  "corbel: the created of table(...) is no field of describe(...)");
    static_assert(has_field<T>(t.updated()),
                  "corbel: the updated of table(...) is no field of describe(...)");
    static_assert(has_fields<T>(t.generated()),
                  "corbel: a generated of table(...) is no field of describe(...)");
  }
  return described<T> && has_table<T>;
}

}  // namespace corbel::detail
