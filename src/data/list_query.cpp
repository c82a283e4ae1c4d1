#include "corbel/data/list_query.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "corbel/base/text_value.hpp"

namespace corbel::data {
namespace {

struct suffix {
  std::string_view text;
  comparison how;
};
constexpr suffix suffixes[] = {{"[ne]", comparison::not_equal}, {"[lt]", comparison::less},
                               {"[lte]", comparison::at_most},  {"[gt]", comparison::more},
                               {"[gte]", comparison::at_least}, {"[contains]", comparison::contains}};

bool is_ordered(type_kind kind) {
  return kind == type_kind::integer || kind == type_kind::floating || kind == type_kind::text ||
         kind == type_kind::timestamp || kind == type_kind::date || kind == type_kind::uuid;
}

bool fits(comparison how, const type_descriptor& type) {
  switch (how) {
    case comparison::equal:
    case comparison::not_equal: return true;
    case comparison::contains: return type.kind == type_kind::text;
    default: return is_ordered(type.kind);
  }
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
    for (std::size_t i = 0; i < pairs.size(); ++i) {
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
    const auto& field = *type_.object->find(field_name);
    if (!is_scalar(*field.type)) return refuse(name, "type", "cannot be filtered by");
    if (!fits(how, field.type->bare()))
      return refuse(name, "type", "cannot be compared in this way; leave the [...] out");
    void* member = field.member(scratch_);
    if (const auto expected = read_text(*field.type, text, member))
      return refuse(name, "type", "must be " + *expected);
    query_.conditions.push_back({std::string(field_name), how, encode(*field.type, member)});
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
  const auto expect = [&](std::string_view list, std::string_view name) {
    if (!type.object->find(name))
      wrong.push_back("list_rules names \"" + std::string(name) + "\" in " + std::string(list) +
                      ", which is no field of the listed type; write it as describe(...) has it");
  };
  for (const auto name : allowed.filterable) expect("filterable", name);
  for (const auto name : allowed.sortable) expect("sortable", name);
  for (auto rest = allowed.default_sort; !rest.empty();) {
    const auto comma = rest.find(',');
    const auto key = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    expect("default_sort", key.substr(0, key.find(':')));
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
