#include "corbel/routing/conditional.hpp"

namespace corbel {

result<void> preconditions::check(const validators& current) const {
  if (evaluate_preconditions(*in_, current) == precondition::failed) return precondition_failed();
  return {};
}

result<void> preconditions::require(const validators& current) const {
  if (!in_->header("If-Match") && !in_->header("If-Unmodified-Since"))
    return error(error_kind::precondition_required, "precondition_required",
                 "Say which state you are changing: send the ETag that you read as If-Match.");
  return check(current);
}

namespace detail {

bool answer_by_conditions(const request& in, const validators& current, response& out) {
  if (in.method() != method::get && in.method() != method::head) return false;
  if (evaluate_preconditions(in, current) == precondition::proceed) return false;
  apply_preconditions(in, current, out);
  return true;
}

void set_validators_of_success(const request& in, const validators& current, response& out) {
  const auto code = static_cast<int>(out.status());
  if (code >= 200 && code < 300) set_validators(in, current, out);
}

}  // namespace detail
}  // namespace corbel
