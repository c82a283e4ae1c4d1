#include "corbel/crypto/seal.hpp"

#include <doctest/doctest.h>

#include <random>
#include <set>
#include <string>

#include "corbel/base/encoding.hpp"
#include "corbel/crypto/random.hpp"

using namespace corbel;
using crypto::digest;

namespace {

digest key_of(std::string_view secret) {
  return crypto::sha256(secret);
}

}  // namespace

TEST_CASE("what is sealed opens with the same key and context, and with no other") {
  const auto key = key_of("a");
  for (const std::size_t size : {0u, 1u, 15u, 16u, 17u, 1000u, 100'000u}) {
    const auto plain = crypto::random_bytes(size);
    const auto sealed = crypto::seal(key, "context", plain);
    CHECK(sealed.size() == size + crypto::seal_overhead);
    CHECK(crypto::open(key, "context", sealed) == plain);
    CHECK_FALSE(crypto::open(key_of("b"), "context", sealed));
    CHECK_FALSE(crypto::open(key, "Context", sealed));
    CHECK_FALSE(crypto::open(key, "", sealed));
    if (size > 8) CHECK(sealed.find(plain) == std::string::npos);
  }
}

// Recorded, and checked with another implementation of HKDF and AES-256-GCM: what was sealed before stays
// readable.
TEST_CASE("the format does not change") {
  const auto sealed = from_hex(
      "000102030405060708090a0b0c0d0e0f1011121314151617349e7aec95e2aed54c1a9c284f41ebc90aec0600dfede7f1fc73");
  REQUIRE(sealed);
  CHECK(crypto::open(key_of("key"), "context", *sealed) == "plain text");
}

TEST_CASE("every changed bit and every cut is found") {
  const auto key = key_of("key");
  const auto sealed = crypto::seal(key, "c", "attack at dawn");
  for (std::size_t i = 0; i < sealed.size() * 8; ++i) {
    auto changed = sealed;
    changed[i / 8] = static_cast<char>(changed[i / 8] ^ (1 << (i % 8)));
    REQUIRE_FALSE(crypto::open(key, "c", changed));
  }
  for (std::size_t n = 0; n < sealed.size(); ++n) {
    REQUIRE_FALSE(crypto::open(key, "c", sealed.substr(0, n)));
    REQUIRE_FALSE(crypto::open(key, "c", std::string_view(sealed).substr(sealed.size() - n)));
  }
  CHECK_FALSE(crypto::open(key, "c", sealed + '\0'));
  std::mt19937 random(20260303);
  for (int i = 0; i < 2000; ++i) {
    std::string noise(random() % 120, '\0');
    for (auto& c : noise) c = static_cast<char>(random());
    REQUIRE_FALSE(crypto::open(key, "c", noise));
  }
}

TEST_CASE("the same text never seals to the same bytes") {
  std::set<std::string> starts;
  const auto key = key_of("key");
  for (int i = 0; i < 1000; ++i) starts.insert(crypto::seal(key, "", "same").substr(0, 24));
  CHECK(starts.size() == 1000);
}
