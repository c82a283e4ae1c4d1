#include <array>
#include <cstdint>
#include <vector>

#include "base/json/decoder.hpp"
#include "base/json/key_set.hpp"

/// The part of the decoder that reads JSON objects: into described objects, unions and maps.
namespace corbel::json {
namespace {

/// Which members of an object came already.
class seen_fields {
 public:
  explicit seen_fields(std::size_t count) {
    if (count > few_.size() * 64) many_.resize((count + 63) / 64);
  }
  /// False when it was marked before.
  bool mark(std::size_t i) {
    std::uint64_t& word = words()[i / 64];
    const std::uint64_t bit = std::uint64_t{1} << (i % 64);
    if (word & bit) return false;
    word |= bit;
    return true;
  }
  bool has(std::size_t i) { return words()[i / 64] >> (i % 64) & 1; }

 private:
  std::uint64_t* words() { return many_.empty() ? few_.data() : many_.data(); }
  std::array<std::uint64_t, 2> few_{};
  std::vector<std::uint64_t> many_;
};

/// Clients tend to send members in the order they were published in: the search starts at the next one.
std::size_t find(const object_descriptor& type, std::string_view key, std::size_t next) {
  for (std::size_t i = next; i < type.field_count; ++i)
    if (type.fields[i].name == key) return i;
  for (std::size_t i = 0; i < next; ++i)
    if (type.fields[i].name == key) return i;
  return type.field_count;
}

std::string names_of(const object_descriptor& type) {
  if (type.field_count == 0) return "no members";
  std::string all;
  for (const auto& field : type) {
    if (all.size() > 500) return all + ", ...";
    all.append(all.empty() ? "" : ", ").append(field.name);
  }
  return all;
}

}  // namespace

bool decoder::object(const object_descriptor& type, void* out, const path& at, manner how,
                     std::string_view discriminator) {
  seen_fields seen(type.field_count);
  key_set strangers;
  const std::size_t before = found_.count();
  std::size_t next = 0;
  std::string_view key;
  if (!in_.begin_object()) return false;
  while (in_.member(key)) {
    const std::size_t i = find(type, key, next);
    if (i < type.field_count) {
      if (!seen.mark(i)) return in_.duplicate_key();
      next = i + 1;
      if (!field(type, type.fields[i], out, at, how)) return false;
    } else {
      if (!strangers.insert(key)) return in_.duplicate_key();
      const bool expected = discriminator.data() && key == discriminator;
      if (expected ? !in_.skip() : !unknown(type, key, at)) return false;
    }
  }
  if (in_.failed()) return false;
  if (how == manner::whole || how == manner::fresh)
    for (std::size_t i = 0; i < type.field_count; ++i)
      if (type.fields[i].required && !seen.has(i))
        found_.add(path(at, type.fields[i].name), "required", "is required");
  if (checker_ && how != manner::partial && found_.count() == before) checker_->object(type, out, at, found_);
  return true;
}

bool decoder::field(const object_descriptor& type, const field_descriptor& field, void* out, const path& at,
                    manner how) {
  const path here(at, field.name);
  void* member = field.member(out);
  if (how == manner::whole || in_.peek() != value_kind::null)
    return value(*field.type, *field.rules, member, here, how);
  if (field.required)
    found_.add(here, "required", "is required and cannot be null");
  else
    field.type->assign(member, field.member_of(type.defaults()));
  return in_.null();
}

bool decoder::unknown(const object_descriptor& type, std::string_view key, const path& at) {
  if (!type.open)
    found_.add(path(at, key), "additionalProperties", "is not known here; the members are " + names_of(type));
  return in_.skip();
}

/// The discriminator decides how everything before it is read, so it is looked for first, then the object is
/// read again. Looking checks keys as reading does: the first mistake in the text is still the one reported.
bool decoder::one_of(const union_descriptor& type, void* out, const path& at, manner how) {
  const auto start = in_.here();
  const path told(at, type.discriminator);
  key_set keys;
  std::string_view key;
  std::size_t chosen = type.count;
  bool present = false;
  if (!in_.begin_object()) return false;
  while (!present && in_.member(key)) {
    if (!keys.insert(key)) return in_.duplicate_key();
    present = key == type.discriminator;
    if (!present && !in_.skip()) return false;
  }
  if (in_.failed()) return false;

  if (present) {
    const value_kind kind = in_.peek();
    std::string_view name;
    if (kind == value_kind::none || (kind == value_kind::string && !in_.string(name))) return false;
    for (std::size_t i = 0; kind == value_kind::string && i < type.count; ++i)
      if (type.names[i] == name) chosen = i;
    if (chosen == type.count) {
      std::string all = "must be one of ";
      for (std::size_t i = 0; i < type.count; ++i) all.append(i ? ", " : "").append(type.names[i]);
      found_.add(told, kind == value_kind::string ? "enum" : "type", std::move(all));
    }
  } else if (how == manner::merge) {
    chosen = type.index(out);
  } else if (how != manner::partial) {
    found_.add(told, "required", "is required");
  }

  in_.back_to(start);
  if (chosen >= type.count) return in_.skip();
  const bool stays = how == manner::merge && type.index(out) == chosen;
  void* held = stays ? const_cast<void*>(type.get(out)) : type.emplace(out, chosen);
  return object(*type.alternatives[chosen]->object, held, at,
                how == manner::merge && !stays ? manner::fresh : how, type.discriminator);
}

bool decoder::merge_map(const type_descriptor& type, const constraints& rules, void* out, const path& at,
                        manner how) {
  const constraints& of_items = rules.items ? *rules.items : no_rules;
  if (how != manner::merge) type.map->clear(out);
  key_set keys;
  std::string_view key;
  if (!in_.begin_object()) return false;
  while (in_.member(key)) {
    if (!keys.insert(key)) return in_.duplicate_key();
    const std::string name(key);
    if (in_.peek() == value_kind::null) {
      type.map->erase(out, name);
      if (!in_.null()) return false;
      continue;
    }
    void* slot = type.map->find(out, name);
    const manner below = how == manner::merge && !slot ? manner::fresh : how;
    if (!slot) slot = type.map->insert(out, name);
    const path here(at, name);
    if (!value(*type.element, of_items, slot, here, below)) return false;
  }
  return !in_.failed();
}

}  // namespace corbel::json
