#pragma once

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "corbel/base/result.hpp"

/// The (path, rule) pairs of an `invalid` error.
using rule_list = std::vector<std::pair<std::string, std::string>>;

template <class T>
rule_list rules_of(const corbel::result<T>& read) {
  rule_list all;
  if (read) return all;
  CAPTURE(read.error().message());
  CHECK(read.error().kind() == corbel::error_kind::invalid);
  for (const auto& v : read.error().violations()) {
    CHECK_FALSE(v.message.empty());
    all.emplace_back(v.path, v.rule);
  }
  return all;
}
