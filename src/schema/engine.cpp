#include "schema/engine.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

// Valijson's own multipleOf makes an int64 of any double, which clang's sanitizer reports. Ours takes its
// place, but for where tests ask valijson as a judge.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((no_sanitize("float-cast-overflow"))), apply_to = function)
#endif
#include <valijson/constraints/concrete_constraints.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>
#if defined(__clang__)
#pragma clang attribute pop
#endif

#include "corbel/base/json/path.hpp"
#include "schema/dom_adapter.hpp"
#include "schema/leaf.hpp"

namespace corbel::schema {
namespace {

using dom = nlohmann::json;
using valijson::ValidationResults;
using valijson::adapters::Adapter;

/// Ends the keyword in a description of ours; no keyword and no sentence has one.
constexpr char divider = '\x1f';

/// The value behind an adapter. Valijson shows us ours, but for the names under propertyNames, which are
/// texts and go to `name`.
const dom& dom_of(const Adapter& adapter, dom& name) {
  if (const auto* ours = dynamic_cast<const dom_adapter*>(&adapter)) return ours->dom();
  return name = adapter.asString();
}

/// One of our leaf checks in valijson's form.
class leaf_constraint final : public valijson::constraints::PolyConstraint {
 public:
  leaf_constraint(std::string keyword, leaf_check check)
      : keyword_(std::move(keyword)), check_(std::make_shared<const leaf_check>(std::move(check))) {}

  bool validate(const Adapter& target, const std::vector<std::string>& context,
                ValidationResults* results) const override {
    dom name;
    const auto wrong = (*check_)(dom_of(target, name));
    if (wrong && results) results->pushError(context, own_prefix + keyword_ + divider + *wrong);
    return !wrong;
  }

 private:
  Constraint* cloneInto(void* where) const override { return new (where) leaf_constraint(*this); }
  std::size_t sizeOf() const override { return sizeof *this; }

  std::string keyword_;
  std::shared_ptr<const leaf_check> check_;
};

class leaf_builder final : public valijson::ConstraintBuilder {
 public:
  explicit leaf_builder(std::string keyword) : keyword_(std::move(keyword)) {}
  valijson::constraints::Constraint* make(const Adapter& operand) const override {
    dom name;
    return new leaf_constraint(keyword_, make_leaf(keyword_, dom_of(operand, name)));
  }

 private:
  std::string keyword_;
};

/// What patternProperties and additionalProperties ask for, with the schemas compiled each by itself.
struct member_rules {
  struct pattern {
    std::shared_ptr<const re2::RE2> expression;
    const valijson::Schema* schema;
  };
  std::set<std::string, std::less<>> names;  // of `properties`, which valijson checks
  std::vector<pattern> patterns;
  const valijson::Schema* additional = nullptr;  // null for any value
  bool closed = false;
};

class members_constraint final : public valijson::constraints::PolyConstraint {
 public:
  explicit members_constraint(std::shared_ptr<const member_rules> rules) : rules_(std::move(rules)) {}

  bool validate(const Adapter& target, const std::vector<std::string>& context,
                ValidationResults* results) const override {
    dom text;
    const dom& value = dom_of(target, text);
    if (!value.is_object()) return true;
    bool holds = true;
    for (const auto& [name, member] : value.items()) {
      auto where = context;
      where.push_back("[" + name + "]");
      bool known = rules_->names.contains(name);
      for (const auto& each : rules_->patterns) {
        if (!re2::RE2::PartialMatch(name, *each.expression)) continue;
        known = true;
        holds = run(*each.schema, member, where, results) && holds;
      }
      if (known) continue;
      if (rules_->closed) {
        holds = false;
        complain(where, "additionalProperties", "is not known here", results);
      } else if (rules_->additional) {
        holds = run(*rules_->additional, member, where, results) && holds;
      }
    }
    return holds;
  }

 private:
  Constraint* cloneInto(void* where) const override { return new (where) members_constraint(*this); }
  std::size_t sizeOf() const override { return sizeof *this; }

  static void complain(const std::vector<std::string>& where, const char* rule, const char* message,
                       ValidationResults* results) {
    if (results) results->pushError(where, std::string(own_prefix) + rule + divider + message);
  }

  static bool run(const valijson::Schema& schema, const dom& member, const std::vector<std::string>& where,
                  ValidationResults* results) {
    valijson::Validator validator;
    ValidationResults below;
    if (validator.validate(schema, dom_adapter(member), results ? &below : nullptr)) return true;
    if (results && below.numErrors() == 0) complain(where, "schema", "is not allowed by the schema", results);
    for (const auto& each : below) {
      auto path = where;
      path.insert(path.end(), each.context.begin() + 1, each.context.end());
      results->pushError(path, each.description);
    }
    return false;
  }

  std::shared_ptr<const member_rules> rules_;
};

/// The parts of a document that are compiled by themselves, by pointer. They are asked for while another is
/// being compiled, and filled afterwards.
class schema_parts {
 public:
  const valijson::Schema* at(const std::string& pointer) {
    auto& part = parts_[pointer];
    if (!part) {
      part = std::make_unique<valijson::Schema>();
      waiting_.emplace_back(pointer, part.get());
    }
    return part.get();
  }
  bool next(std::pair<std::string, valijson::Schema*>& out) {
    if (waiting_.empty()) return false;
    out = std::move(waiting_.back());
    waiting_.pop_back();
    return true;
  }

 private:
  std::map<std::string, std::unique_ptr<valijson::Schema>> parts_;
  std::vector<std::pair<std::string, valijson::Schema*>> waiting_;
};

class members_builder final : public valijson::ConstraintBuilder {
 public:
  explicit members_builder(schema_parts& parts) : parts_(parts) {}
  valijson::constraints::Constraint* make(const Adapter& operand) const override {
    dom text;
    const dom& given = dom_of(operand, text);
    const auto& at = given["at"].get_ref<const std::string&>();
    auto rules = std::make_shared<member_rules>();
    for (const auto& name : given["names"]) rules->names.insert(name.get<std::string>());
    for (std::size_t i = 0; i < given["patterns"].size(); ++i)
      rules->patterns.push_back({compile_pattern(given["patterns"][i].get_ref<const std::string&>()),
                                 parts_.at(at + "/schemas/" + std::to_string(i))});
    if (const auto rest = given.find("additional"); rest != given.end()) {
      rules->closed = *rest == false;
      if (!rest->is_boolean()) rules->additional = parts_.at(at + "/additional");
    }
    return new members_constraint(std::move(rules));
  }

 private:
  schema_parts& parts_;
};

/// What valijson says of the keywords we leave to it. Texts of a valijson we do not know fall to the last
/// row of `translate`, which passes them on as they are.
struct known_text {
  std::string_view start;
  std::string_view rule;     ///< empty: says that something below failed, which is reported there
  std::string_view message;  ///< empty: valijson's own
};
constexpr std::array known_texts{
    known_text{"Failed to validate against schema associated with property name", "", ""},
    known_text{"Failed to validate item #", "", ""},
    known_text{"Failed to validate against child schema #", "", ""},
    known_text{"Failed to validate against additional properties schema", "", ""},
    known_text{"Failed to validate against a conditional schema", "", ""},
    known_text{"Failed to validate against dependent schema", "", ""},
    known_text{"Failed to validate against any schemas allowed by anyOf", "anyOf",
               "must fit at least one of the forms allowed here"},
    known_text{"Failed to validate against any child schemas allowed by oneOf", "oneOf",
               "must fit one of the forms allowed here"},
    known_text{"Failed to validate against exactly one child schema", "oneOf",
               "must fit exactly one of the forms allowed here"},
    known_text{"Failed to match expected value set by 'const'", "const",
               "must have the one value allowed here"},
    known_text{"Failed to any values against subschema in 'contains'", "contains",
               "must contain at least one item of the form asked for"},
    known_text{"Failed to match against any enum values", "enum", "must be one of the values allowed here"},
    known_text{"Target should not validate against schema specified in 'not'", "not",
               "must not have the form forbidden here"},
    known_text{"Array should contain no more than", "maxItems", ""},
    known_text{"Array should contain no fewer than", "minItems", ""},
    known_text{"Array contains more items than allowed", "additionalItems", ""},
    known_text{"Cannot validate item #", "additionalItems", ""},
    known_text{"Object should have no more than", "maxProperties", ""},
    known_text{"Object should have no fewer than", "minProperties", ""},
    known_text{"Missing dependency", "dependencies", ""},
    known_text{"Value type not permitted", "type", ""},
    known_text{"Expected number greater than or equal to", "minimum", ""},
    known_text{"Expected number greater than", "exclusiveMinimum", ""},
    known_text{"Expected number less than or equal to", "maximum", ""},
    known_text{"Expected number less than", "exclusiveMaximum", ""},
    known_text{"Value should be a multiple of", "multipleOf", ""},
    known_text{"String should be no more than", "maxLength", ""},
    known_text{"String should be no fewer than", "minLength", ""},
    known_text{"Elements at indexes #", "uniqueItems", "must not have equal items"},
};

/// The name between the quotes that end one of valijson's texts.
std::string quoted_name(std::string_view text, std::string_view before) {
  const std::size_t from = text.find(before) + before.size();
  const std::size_t to = text.rfind('\'');
  return std::string(text.substr(from, to > from ? to - from : 0));
}

/// Empty for a text that only says that something below failed.
std::optional<violation> translate(const ValidationResults::Error& found, const std::string& pointer) {
  const std::string& text = found.description;
  if (text.starts_with(own_prefix)) {
    const std::size_t prefix = std::string_view(own_prefix).size();
    const std::size_t end = text.find(divider);
    return violation{"", pointer, text.substr(prefix, end - prefix), text.substr(end + 1)};
  }
  std::string below = pointer;
  if (text.starts_with("Missing required property '")) {
    json::append_pointer(below, quoted_name(text, "property '"));
    return violation{"", below, "required", "is required"};
  }
  if (text.starts_with("Object contains a property that could not be validated")) {
    json::append_pointer(below, quoted_name(text, "constraints: '"));
    return violation{"", below, "additionalProperties", "is not known here"};
  }
  for (const auto& known : known_texts) {
    if (!text.starts_with(known.start)) continue;
    if (known.rule.empty()) return {};
    return violation{"", pointer, std::string(known.rule),
                     known.message.empty() ? text : std::string(known.message)};
  }
  return violation{"", pointer, "schema", text};
}

/// "<root>", "[name]", "[0]" ... as a JSON pointer.
std::string pointer_of(const std::vector<std::string>& context) {
  std::string out;
  for (std::size_t i = 1; i < context.size(); ++i) {
    std::string_view name = context[i];
    if (name.size() >= 2) name = name.substr(1, name.size() - 2);
    json::append_pointer(out, name);
  }
  return out;
}

class valijson_engine final : public engine {
 public:
  explicit valijson_engine(const dom& prepared) {
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    for (const char* word :
         {"type", "minLength", "maxLength", "pattern", "format", "minimum", "maximum", "exclusiveMinimum",
          "exclusiveMaximum", "multipleOf", "uniqueItems", "enum", "const"})
      parser.addConstraintBuilder(own_prefix + std::string(word), new leaf_builder(word));
    parser.addConstraintBuilder(own_prefix + std::string("members"), new members_builder(parts_));
    parser.populateSchema(dom_adapter(prepared), schema_);
    std::pair<std::string, valijson::Schema*> part;
    if (!parts_.next(part)) return;
    dom root = prepared;
    do {
      root["$ref"] = std::string("#/").append(wrapped_root).append(part.first);
      parser.populateSchema(dom_adapter(root), *part.second);
    } while (parts_.next(part));
  }

  std::vector<violation> run(const dom& value) const override {
    // One per call: it is cheap, and its cache of patterns (unused here) is not for two threads.
    valijson::Validator validator;
    ValidationResults results;
    const dom_adapter target(value);
    if (validator.validate(schema_, target, &results)) return {};
    std::vector<violation> all;
    for (const auto& found : results) {
      auto one = translate(found, pointer_of(found.context));
      if (one && std::find(all.begin(), all.end(), *one) == all.end()) all.push_back(std::move(*one));
      if (all.size() == most_violations) break;
    }
    // A schema of `false` fails without a word.
    if (all.empty()) {
      const auto first = results.begin();
      all.push_back({"", first == results.end() ? "" : pointer_of(first->context), "schema",
                     "is not allowed by the schema"});
    }
    return all;
  }

 private:
  static constexpr std::size_t most_violations = 100;
  schema_parts parts_;
  valijson::Schema schema_;
};

}  // namespace

result<std::shared_ptr<const engine>> compile_schema(dom prepared) {
  try {
    return std::shared_ptr<const engine>(std::make_shared<valijson_engine>(prepared));
  } catch (const std::exception& problem) {
    return error{error_kind::internal, "bad_schema",
                 std::string("The JSON Schema cannot be used: ") + problem.what() + "."};
  }
}

}  // namespace corbel::schema
