#pragma once

#include <doctest/doctest.h>

#include <optional>

#include "corbel/base/error.hpp"
#include "corbel/testing/run.hpp"

/// The error that a task fails with; a task that does not fail fails the test.
template <class T>
corbel::error failure_of(corbel::task<T> work) {
  try {
    (void)corbel::testing::run(std::move(work));
  } catch (const corbel::failure& f) {
    return f.error();
  }
  FAIL("the task succeeded");
  return corbel::internal_error("");
}
template <>
inline corbel::error failure_of<void>(corbel::task<void> work) {
  try {
    corbel::testing::run(std::move(work));
  } catch (const corbel::failure& f) {
    return f.error();
  }
  FAIL("the task succeeded");
  return corbel::internal_error("");
}

inline bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}
