#include "corbel/base/error.hpp"

#include <doctest/doctest.h>

#include <string>

using corbel::failure;

TEST_CASE("a failure tells whoever runs the service what its client may not know") {
  const failure surprise(corbel::internal_error("the disk is gone"));
  CHECK(std::string(surprise.what()) == "the disk is gone");
  CHECK(surprise.error().message().find("disk") == std::string::npos);

  const failure expected(corbel::conflict("The name is taken.").because("UNIQUE constraint failed"));
  CHECK(std::string(expected.what()) == "The name is taken. (UNIQUE constraint failed)");
  CHECK(std::string(failure(corbel::conflict("The name is taken.")).what()) == "The name is taken.");
  const failure away(corbel::unavailable("Try again shortly.").because("connection refused"));
  CHECK(std::string(away.what()) == "connection refused");
  const failure copy = away;
  CHECK(std::string(copy.what()) == "connection refused");
  CHECK(std::string(failure(corbel::internal_error("")).what()) == corbel::internal_error("").message());
}
