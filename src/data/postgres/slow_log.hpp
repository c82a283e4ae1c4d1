#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "corbel/observe/log.hpp"
#include "data/postgres/call.hpp"

namespace corbel::postgres {

/// What is kept of a statement that took long.
struct slow_statement {
  slow_statement(const call& what, steady::duration time);

  std::string sql;
  data::parameter_list values;  // for the plan alone
  steady::duration took;
  steady::time_point seen_at = steady::now();
  bool can_be_explained;
};

void write_slow(const logger& to, const slow_statement& what, std::string_view plan);

/// Whether none was asked for within a second, on whichever loop: then it is the caller's turn.
bool may_explain(std::atomic<steady::rep>& last_plan);

/// The call that asks for its plan, and logs it with the plan when it is done.
call_ptr plan_of(std::unique_ptr<slow_statement> what, const logger& log);

/// A plan in JSON without the values that its conditions compare with: numbers and quoted texts in them are
/// "?". Empty when it cannot be read.
std::string without_values(std::string_view plan);

}  // namespace corbel::postgres
