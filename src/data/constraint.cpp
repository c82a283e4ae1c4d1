#include "corbel/data/constraint.hpp"

#include <algorithm>

#include "data/names.hpp"

namespace corbel::data {
namespace {

std::string fields_of(const constraint& broken) {
  std::string all;
  for (const auto& column : broken.columns) {
    if (!all.empty()) all += ',';
    all += camel_case(column);
  }
  return all;
}

std::string as_words(std::string fields) {
  for (std::size_t at = 0; (at = fields.find(',', at)) != std::string::npos; at += 5)
    fields.replace(at, 1, " and ");
  return fields;
}

constexpr const char* refused_values = "A rule of the stored data refused these values.";

error named_error(const constraint& broken, const std::string& fields) {
  switch (broken.kind) {
    case constraint_kind::unique:
      return conflict(
          fields.empty() ? "This exists already." : "The same " + as_words(fields) + " is in use already.",
          "unique_violation");
    case constraint_kind::foreign_key:
      return conflict("This refers to something that does not exist, or something still refers to it.",
                      "foreign_key_violation");
    case constraint_kind::not_null:
      return unprocessable(fields.empty() ? "A required value is missing." : fields + " needs a value.",
                           "not_null_violation");
    case constraint_kind::check: break;
  }
  return unprocessable(refused_values, "check_violation");
}

}  // namespace

bool constraint::is_unique_on(std::string_view field) const {
  return kind == constraint_kind::unique &&
         std::find(columns.begin(), columns.end(), snake_case(field)) != columns.end();
}

const constraint* constraint_of(const error& e) noexcept {
  return e.origin<constraint>();
}

error constraint_error(std::shared_ptr<const constraint> broken, std::string cause) {
  const std::string fields = fields_of(*broken);
  error e = named_error(*broken, fields).because(std::move(cause));
  if (!fields.empty()) std::move(e).detail("field", fields);
  return std::move(e).from(std::move(broken));
}

error constraint_error(constraint broken, std::string cause) {
  return constraint_error(std::make_shared<const constraint>(std::move(broken)), std::move(cause));
}

error rule_error() {
  return unprocessable(refused_values, "rule_violation");
}

}  // namespace corbel::data
