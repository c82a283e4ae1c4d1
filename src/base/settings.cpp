#include "corbel/base/settings.hpp"

#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/settings_example.hpp"
#include "corbel/base/json/decode.hpp"
#include "corbel/base/text_value.hpp"

namespace corbel::settings {
namespace {

using json::path;
using json::violation_list;

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Text to be read in pieces by commas, not as JSON.
bool is_plain_list(const type_descriptor& type, std::string_view text) {
  return type.kind == type_kind::list && is_scalar(*type.element) && !trimmed(text).starts_with('[');
}

std::string what_is_expected(const type_descriptor& type, const constraints& rules) {
  const auto& bare = type.bare();
  if (rules.file) return "the path of a file";
  if (is_scalar(bare)) return expectation(bare);
  if (bare.kind == type_kind::list && is_scalar(*bare.element))
    return "a list separated by commas, each element " + expectation(*bare.element);
  return "JSON";
}

class reader {
 public:
  reader(const source& from, json::value_checker* checker) : from_(from), checker_(checker) {}

  void object(const object_descriptor& type, void* out, const std::string& prefix, const path& at) {
    const auto before = all_.size();
    for (const auto& field : type) member(field, type, out, prefix, path(at, field.name));
    if (!checker_ || all_.size() != before) return;
    violation_list found("env");
    checker_->object(type, out, at, found);
    const auto behind = at.pointer().size();
    for (auto& v : found.take()) {
      // The rule blames a member ("/maxAge"), or the object whole.
      const auto blamed = v.path.size() > behind ? v.path.substr(behind + 1) : std::string();
      v.message = (blamed.empty() ? group(prefix) : variable_name(prefix, blamed)) + " " + v.message + ".";
      all_.push_back(std::move(v));
    }
  }

  std::vector<violation> take() { return std::move(all_); }

 private:
  static std::string group(const std::string& prefix) {
    return prefix.empty() ? "the settings together" : prefix + "_*";
  }

  static std::string for_example(const field_descriptor& field, const std::string& name, const void* unset) {
    // What a required member is made with is no value that anybody means.
    const auto example = example_of(*field.type, *field.rules, name, field.required ? nullptr : unset);
    return example.empty() ? "." : ", for example " + name + "=" + example + ".";
  }

  void member(const field_descriptor& field, const object_descriptor& owner, void* out,
              const std::string& prefix, const path& at) {
    const auto name = variable_name(prefix, field.name);
    const auto& type = *field.type;
    void* value = field.member(out);
    if (type.bare().kind == type_kind::object) {
      if (!field.required && !from_.any_below(name + "_")) return;
      if (type.kind == type_kind::optional) value = type.optional->emplace(value);
      return object(*type.bare().object, value, name, at);
    }
    const variable* given = from_.find(name);
    const void* unset = field.member_of(owner.defaults());
    if (!given) {
      if (field.required)
        all_.push_back({"env", at.pointer(), "required",
                        name + " is missing: " + what_is_expected(type, *field.rules) +
                            for_example(field, name, unset)});
      return;
    }
    violation_list found("env");
    read(type, *field.rules, value, given->value, at, found);
    for (auto& v : found.take()) {
      const auto below = v.path.substr(at.pointer().size());
      v.message = name + (below.empty() ? "" : " at " + below) + " " + v.message + " (set in " +
                  given->origin + ")" + for_example(field, name, unset);
      all_.push_back(std::move(v));
    }
  }

  void read(const type_descriptor& type, const constraints& rules, void* out, std::string_view text,
            const path& at, violation_list& found) {
    if (is_scalar(type)) return scalar(type, rules, out, text, at, found);
    if (is_plain_list(type.bare(), text)) {
      void* list = type.kind == type_kind::optional ? type.optional->emplace(out) : out;
      return plain_list(type.bare(), rules, list, text, at, found);
    }
    as_json(type, rules, out, text, at, found);
  }

  void scalar(const type_descriptor& type, const constraints& rules, void* out, std::string_view text,
              const path& at, violation_list& found) {
    if (const auto expected = read_text(type, text, out))
      return found.add(at, "type", "must be " + *expected);
    void* value = type.kind == type_kind::optional ? const_cast<void*>(type.optional->get(out)) : out;
    if (checker_) checker_->value(type.bare(), rules, value, at, true, found);
  }

  void plain_list(const type_descriptor& type, const constraints& rules, void* list, std::string_view text,
                  const path& at, violation_list& found) {
    type.list->clear(list);
    std::size_t index = 0;
    for (std::size_t from = 0; from <= text.size(); ++index) {
      const auto end = std::min(text.find(',', from), text.size());
      scalar(*type.element, rules.items ? *rules.items : no_rules, type.list->append(list),
             trimmed(text.substr(from, end - from)), path(at, index), found);
      from = end + 1;
    }
    if (checker_) checker_->value(type, rules, list, at, found.empty(), found);
  }

  void as_json(const type_descriptor& type, const constraints& rules, void* out, std::string_view text,
               const path& at, violation_list& found) {
    json::decode_options options;
    options.in = "env";
    options.checker = checker_;
    void* value = type.kind == type_kind::optional ? type.optional->emplace(out) : out;
    if (const auto done = json::decode(type.bare(), value, text, options); !done) {
      if (done.error().violations().empty()) found.add(at, "type", "must be JSON: " + done.error().message());
      for (const auto& v : done.error().violations()) found.add(at, v.path, v.rule, v.message);
      return;
    }
    if (checker_) check(type.bare(), rules, value, at, found);
  }

  /// The rules of a member that came as JSON: `decode` knows those inside described types alone.
  void check(const type_descriptor& type, const constraints& rules, void* value, const path& at,
             violation_list& found) {
    if (type.kind == type_kind::optional) {
      void* held = const_cast<void*>(type.optional->get(value));
      if (held) check(*type.element, rules, held, at, found);
      return;
    }
    const auto before = found.count();
    if (rules.items && type.kind == type_kind::list) {
      for (std::size_t i = 0; i < type.list->size(value); ++i)
        check(*type.element, *rules.items, const_cast<void*>(type.list->at(value, i)), path(at, i), found);
    } else if (rules.items && type.kind == type_kind::map) {
      auto each = [&](std::string_view key, const void* element) {
        check(*type.element, *rules.items, const_cast<void*>(element), path(at, key), found);
      };
      type.map->each(value, &each, [](void* context, std::string_view key, const void* element) {
        (*static_cast<decltype(each)*>(context))(key, element);
      });
    }
    checker_->value(type, rules, value, at, found.count() == before, found);
  }

  const source& from_;
  json::value_checker* checker_;
  std::vector<violation> all_;
};

}  // namespace

source source::environment(const std::string& env_file_path) {
  source all;
  for (char** entry = ::environ; entry && *entry; ++entry) {
    const std::string_view text(*entry);
    if (const auto equals = text.find('='); equals != text.npos)
      all.add(std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)), "the environment");
  }
  if (!env_file_path.empty()) all.add(read_env_file(env_file_path));
  return all;
}

source& source::add(std::string name, std::string value, std::string origin) {
  const auto same = [&](const variable& v) { return v.name == name; };
  if (std::none_of(variables_.begin(), variables_.end(), same))
    variables_.push_back({std::move(name), std::move(value), std::move(origin)});
  return *this;
}

source& source::add(env_file file) {
  for (auto& v : file.variables) add(std::move(v.name), std::move(v.value), std::move(v.origin));
  std::move(file.problems.begin(), file.problems.end(), std::back_inserter(problems_));
  return *this;
}

const variable* source::find(std::string_view name) const noexcept {
  const auto found = std::find_if(variables_.begin(), variables_.end(),
                                  [&](const variable& v) { return v.name == name && !v.value.empty(); });
  return found == variables_.end() ? nullptr : &*found;
}

bool source::any_below(std::string_view prefix) const noexcept {
  return std::any_of(variables_.begin(), variables_.end(),
                     [&](const variable& v) { return v.name.starts_with(prefix) && !v.value.empty(); });
}

std::string variable_name(std::string_view prefix, std::string_view wire_name) {
  std::string out(prefix);
  if (!out.empty()) out += '_';
  for (std::size_t i = 0; i < wire_name.size(); ++i) {
    const char c = wire_name[i];
    const bool starts_word =
        i > 0 && is_upper(c) &&
        (!is_upper(wire_name[i - 1]) || (i + 1 < wire_name.size() && is_lower(wire_name[i + 1])));
    if (starts_word && out.back() != '_') out += '_';
    if (is_lower(c))
      out += static_cast<char>(c - 'a' + 'A');
    else
      out += is_upper(c) || (c >= '0' && c <= '9') ? c : '_';
  }
  return out;
}

result<void> read_into(const type_descriptor& type, void* out, const source& from, std::string_view prefix,
                       json::value_checker* checker) {
  reader reading(from, checker);
  reading.object(*type.object, out, std::string(prefix), path());
  auto all = reading.take();
  for (const auto& problem : from.problems()) all.push_back({"env", "", "syntax", problem});
  if (!all.empty()) return invalid(std::move(all));
  return {};
}

}  // namespace corbel::settings
