#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>

/// What ctest takes for a test that was skipped.
constexpr int skipped = 77;

int main(int argc, char** argv) {
  if (!std::getenv("CORBEL_TEST_PGVECTOR_BIN")) {
    std::puts(
        "CORBEL_TEST_PGVECTOR_BIN is not set: scripts/test fetches a Postgres with pgvector and sets it");
    return skipped;
  }
  return doctest::Context(argc, argv).run();
}
