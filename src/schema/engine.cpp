#include "schema/engine.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/constraints/concrete_constraints.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "corbel/base/json/path.hpp"
#include "schema/leaf.hpp"

namespace corbel::schema {
namespace {

using dom = nlohmann::json;
using valijson::ValidationResults;
using valijson::adapters::Adapter;
using valijson::adapters::NlohmannJsonAdapter;

/// Ends the keyword in a description of ours; no keyword and no sentence has one.
constexpr char divider = '\x1f';

/// One of our leaf checks in valijson's form.
class leaf_constraint final : public valijson::constraints::PolyConstraint {
 public:
  leaf_constraint(std::string keyword, leaf_check check)
      : keyword_(std::move(keyword)), check_(std::make_shared<const leaf_check>(std::move(check))) {}

  bool validate(const Adapter& target, const std::vector<std::string>& context,
                ValidationResults* results) const override {
    const auto wrong = (*check_)(target);
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
    return new leaf_constraint(keyword_, make_leaf(keyword_, operand));
  }

 private:
  std::string keyword_;
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

/// valijson takes 3.0 for no integer, and unsigned numbers above 2^63 for negative ones.
bool is_odd_number(const dom& value) {
  if (value.is_number_unsigned()) return value.get<std::uint64_t>() > std::uint64_t{1} << 62;
  return value.is_number_float() && value.get<double>() == std::trunc(value.get<double>());
}

bool has_odd_number(const dom& value) {
  if (!value.is_structured()) return is_odd_number(value);
  return std::any_of(value.begin(), value.end(), has_odd_number);
}

void settle_numbers(dom& value) {
  if (value.is_structured()) {
    for (auto& child : value) settle_numbers(child);
  } else if (is_odd_number(value)) {
    const auto number = value.get<double>();
    if (std::abs(number) < 9e18)
      value = static_cast<std::int64_t>(value.is_number_float() ? static_cast<std::int64_t>(number)
                                                                : value.get<std::int64_t>());
    else
      value = number;
  }
}

class valijson_engine final : public engine {
 public:
  explicit valijson_engine(const dom& prepared) {
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    for (const char* word : {"type", "minLength", "maxLength", "pattern", "format", "minimum", "maximum",
                             "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "uniqueItems"})
      parser.addConstraintBuilder(own_prefix + std::string(word), new leaf_builder(word));
    const NlohmannJsonAdapter root(prepared);
    parser.populateSchema(root, schema_);
  }

  std::vector<violation> run(const dom& value) const override {
    if (!has_odd_number(value)) return validate(value);
    dom settled = value;
    settle_numbers(settled);
    return validate(settled);
  }

 private:
  std::vector<violation> validate(const dom& value) const {
    // One per call: it is cheap, and its cache of patterns (unused here) is not for two threads.
    valijson::Validator validator;
    ValidationResults results;
    const NlohmannJsonAdapter target(value);
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

  static constexpr std::size_t most_violations = 100;
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
