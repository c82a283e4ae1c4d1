#include "corbel/data/list_query.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "corbel/base/text_value.hpp"
#include "data/decimal_type.hpp"
#include "data/member_path.hpp"

namespace corbel::data {
namespace {

struct suffix {
  std::string_view text;
  comparison how;
};
constexpr suffix suffixes[] = {{"[ne]", comparison::not_equal}, {"[lt]", comparison::less},
                               {"[lte]", comparison::at_most},  {"[gt]", comparison::more},
                               {"[gte]", comparison::at_least}, {"[contains]", comparison::contains},
                               {"[has]", comparison::has}};

/// More mistakes than this help nobody.
constexpr std::size_t most_violations = 100;

bool is_ordered(const type_descriptor& type) {
  const auto kind = type.kind;
  return kind == type_kind::integer || kind == type_kind::floating || kind == type_kind::text ||
         kind == type_kind::timestamp || kind == type_kind::date || kind == type_kind::uuid ||
         is_decimal(type);
}

bool fits(comparison how, const type_descriptor& type) {
  switch (how) {
    case comparison::equal:
    case comparison::not_equal: return true;
    case comparison::contains: return type.kind == type_kind::text || type.kind == type_kind::json;
    default: return is_ordered(type);
  }
}

bool is_list_of_scalars(const type_descriptor& type) {
  return type.kind == type_kind::list && is_scalar(*type.element);
}

/// Why a client cannot be allowed to filter by it, as the rest of a sentence; empty when it can.
std::string unfit_for_filters(const type_descriptor& type, std::string_view name) {
  std::string why;
  const auto found = find_member(type, name, why);
  if (!found) return why;
  const auto& leaf = found->leaf->bare();
  if (is_scalar(leaf) || (leaf.kind == type_kind::json && !found->keys.empty())) return {};
  if (is_list_of_scalars(leaf) && found->keys.empty()) return {};
  return "is neither a single value nor a list of such; name a member inside of it, as \"" +
         std::string(name) + ".member\", or leave it out";
}

std::string unfit_for_sorting(const type_descriptor& type, std::string_view name) {
  const auto* field = type.object->find(name);
  if (!field) return "is no field of the listed type; write it as describe(...) has it";
  if (!is_scalar(*field->type) || field->type->bare().kind == type_kind::bytes)
    return "has no order; leave it out";
  return {};
}

std::string join(const std::vector<std::string_view>& names) {
  std::string all;
  for (const auto name : names) all.append(all.empty() ? "" : ", ").append(name);
  return all.empty() ? "nothing" : all;
}

bool is_in(const std::vector<std::string_view>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

class parser {
 public:
  parser(const list_rules& allowed, const type_descriptor& type, void* scratch)
      : allowed_(allowed), type_(type), scratch_(scratch) {
    if (const auto wrong = check(allowed, type); !wrong.empty())
      throw std::logic_error("corbel: " + wrong[0]);
    query_.limit = allowed.default_limit;
  }

  result<list_query> read(std::span<const query_pair> pairs) {
    for (std::size_t i = 0; i < pairs.size() && broken_.size() < most_violations; ++i) {
      const auto name = pairs[i].first;
      const bool again = std::any_of(pairs.begin(), pairs.begin() + static_cast<std::ptrdiff_t>(i),
                                     [&](const query_pair& before) { return before.first == name; });
      if (again)
        refuse(name, "unique", "is given twice; give it once");
      else
        take(name, pairs[i].second);
    }
    if (query_.sort.empty() && broken_.empty()) read_sort(allowed_.default_sort, false);
    if (!broken_.empty()) return invalid(std::move(broken_));
    return std::move(query_);
  }

 private:
  void take(std::string_view name, std::string_view text) {
    if (name == "sort") return read_sort(text, true);
    if (name == "limit") return read_count(name, text, allowed_.most_limit, query_.limit);
    if (name == "page" && !allowed_.cursors) return read_count(name, text, allowed_.most_page, query_.page);
    if (name == "cursor" && allowed_.cursors) {
      query_.cursor = text;
      return;
    }
    read_filter(name, text);
  }

  void read_filter(std::string_view name, std::string_view text) {
    auto field_name = name;
    auto how = comparison::equal;
    for (const auto& one : suffixes)
      if (name.ends_with(one.text)) {
        field_name.remove_suffix(one.text.size());
        how = one.how;
      }
    if (!is_in(allowed_.filterable, field_name))
      return refuse(name, "additionalProperties",
                    "is no filter of this list; it can be filtered by " + join(allowed_.filterable));
    std::string why;
    const auto found = *find_member(type_, field_name, why);
    if (found.tells_apart) return add_tag(name, field_name, how, *found.tells_apart, text);
    const auto& leaf = found.leaf->bare();
    if (leaf.kind == type_kind::list) {
      if (how != comparison::has)
        return refuse(name, "type", "is a list; write " + std::string(field_name) + "[has]=...");
      return add(name, field_name, how, *leaf.element, leaf.list->append(found.in(scratch_)), text);
    }
    if (how == comparison::has || !fits(how, leaf))
      return refuse(name, "type", "cannot be compared in this way; leave the [...] out");
    if (leaf.kind == type_kind::json)
      query_.conditions.push_back({std::string(field_name), how, std::string(text)});
    else
      add(name, field_name, how, *found.leaf, found.in(scratch_), text);
  }

  /// Which alternative of a union it is: one of their names.
  void add_tag(std::string_view name, std::string_view field, comparison how, const union_descriptor& all,
               std::string_view text) {
    if (how != comparison::equal && how != comparison::not_equal)
      return refuse(name, "type", "cannot be compared in this way; leave the [...] out, or write [ne]");
    const auto* const end = all.names + all.count;
    if (std::find(all.names, end, text) == end)
      return refuse(name, "enum", "must be one of " + join({all.names, end}));
    query_.conditions.push_back({std::string(field), how, std::string(text)});
  }

  void add(std::string_view name, std::string_view field, comparison how, const type_descriptor& type,
           void* room, std::string_view text) {
    if (const auto expected = read_text(type, text, room))
      return refuse(name, "type", "must be " + *expected);
    try {
      query_.conditions.push_back({std::string(field), how, encode(type, room)});
    } catch (const failure&) {
      refuse(name, "type", "must be a value that a column can hold");
    }
  }

  void read_sort(std::string_view text, bool check) {
    while (!text.empty()) {
      const auto comma = text.find(',');
      auto name = text.substr(0, comma);
      text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
      const auto colon = name.find(':');
      const auto direction = colon == std::string_view::npos ? "asc" : name.substr(colon + 1);
      name = name.substr(0, colon);
      if (check && !is_in(allowed_.sortable, name))
        return refuse("sort", "enum",
                      "must be one of " + join(allowed_.sortable) + ", each with :asc or :desc");
      if (direction != "asc" && direction != "desc")
        return refuse("sort", "enum", "takes :asc or :desc after a field");
      for (const auto& before : query_.sort)
        if (before.field == name) return refuse("sort", "uniqueItems", "names a field twice");
      query_.sort.push_back({std::string(name), direction == "desc"});
    }
    if (check && query_.sort.empty())
      refuse("sort", "enum", "must be one of " + join(allowed_.sortable) + ", each with :asc or :desc");
  }

  void read_count(std::string_view name, std::string_view text, std::size_t most, std::size_t& out) {
    std::size_t number = 0;
    const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (wrong != std::errc{} || end != text.data() + text.size() || number < 1 || number > most)
      return refuse(name, number > most ? "maximum" : "minimum",
                    "must be an integer from 1 to " + std::to_string(most));
    out = number;
  }

  void refuse(std::string_view name, std::string_view rule, std::string message) {
    std::string pointer = "/";
    for (const char c : name) {
      if (c == '~' || c == '/')
        pointer.append(c == '~' ? "~0" : "~1");
      else
        pointer += c;
    }
    broken_.push_back({"query", std::move(pointer), std::string(rule), std::move(message)});
  }

  const list_rules& allowed_;
  const type_descriptor& type_;
  void* scratch_;
  list_query query_;
  std::vector<violation> broken_;
};

}  // namespace

std::vector<std::string> check(const list_rules& allowed, const type_descriptor& type) {
  std::vector<std::string> wrong;
  const auto expect = [&](std::string_view list, std::string_view name, const std::string& why) {
    if (!why.empty())
      wrong.push_back("list_rules names \"" + std::string(name) + "\" in " + std::string(list) + ", which " +
                      why);
  };
  const auto at_least = [&](std::string_view limit, std::size_t is, std::size_t least) {
    if (is < least)
      wrong.push_back("list_rules has the " + std::string(limit) + " " + std::to_string(is) +
                      "; it has to be at least " + std::to_string(least));
  };
  for (const auto name : allowed.filterable) expect("filterable", name, unfit_for_filters(type, name));
  for (const auto name : allowed.sortable) expect("sortable", name, unfit_for_sorting(type, name));
  at_least("default_limit", allowed.default_limit, 1);
  at_least("most_limit", allowed.most_limit, allowed.default_limit);
  at_least("most_page", allowed.most_page, 1);
  for (auto rest = allowed.default_sort; !rest.empty();) {
    const auto comma = rest.find(',');
    const auto key = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    const auto colon = key.find(':');
    expect("default_sort", key.substr(0, colon), unfit_for_sorting(type, key.substr(0, colon)));
    const auto direction = colon == std::string_view::npos ? "asc" : key.substr(colon + 1);
    if (direction != "asc" && direction != "desc")
      wrong.push_back("list_rules has \"" + std::string(key) +
                      "\" in default_sort; behind the colon stands asc or desc");
  }
  return wrong;
}

namespace detail {

result<list_query> parse_list_query(std::span<const query_pair> query, const list_rules& allowed,
                                    const type_descriptor& type, void* scratch) {
  return parser(allowed, type, scratch).read(query);
}

}  // namespace detail
}  // namespace corbel::data
