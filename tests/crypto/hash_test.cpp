#include "corbel/crypto/hash.hpp"

#include <doctest/doctest.h>

#include <random>
#include <set>
#include <string>

#include "corbel/base/encoding.hpp"
#include "corbel/crypto/random.hpp"

using namespace corbel;
using namespace corbel::crypto;

namespace {

std::string bytes(std::string_view hex) {
  return from_hex(hex).value();
}
std::string text(const digest& d) {
  return to_hex(d.view());
}

}  // namespace

TEST_CASE("SHA-256 gives the values of FIPS 180-4's examples") {
  CHECK(text(sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(text(sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(text(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(text(sha256(std::string(1'000'000, 'a'))) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("a stream gives what the whole gives, however it is cut, and begins anew") {
  std::mt19937 random(20260302);
  sha256_stream stream;
  for (int i = 0; i < 200; ++i) {
    const auto whole = random_bytes(random() % 300);
    for (std::size_t at = 0; at < whole.size();) {
      const auto piece = std::min<std::size_t>(whole.size() - at, random() % 90);
      stream.update(std::string_view(whole).substr(at, piece));
      at += piece;
    }
    REQUIRE(stream.finish() == sha256(whole));
  }
  sha256_stream moved = std::move(stream);
  CHECK(moved.update("abc").finish() == sha256("abc"));
}

TEST_CASE("HMAC-SHA-256 gives the values of RFC 4231") {
  CHECK(text(hmac_sha256(std::string(20, '\x0b'), "Hi There")) ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(text(hmac_sha256("Jefe", "what do ya want for nothing?")) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(text(hmac_sha256(std::string(20, '\xaa'), std::string(50, '\xdd'))) ==
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  CHECK(
      text(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")) ==
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST_CASE("HKDF-SHA-256 gives the values of RFC 5869, cut to 32 bytes") {
  const auto key = hkdf_extract(bytes("000102030405060708090a0b0c"), std::string(22, '\x0b'));
  CHECK(text(key) == "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
  CHECK(text(hkdf_expand(key, bytes("f0f1f2f3f4f5f6f7f8f9"))) ==
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
  const auto bare = hkdf_extract("", std::string(22, '\x0b'));
  CHECK(text(bare) == "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04");
  CHECK(text(hkdf_expand(bare, "")) == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
}

TEST_CASE("texts are the same or not") {
  CHECK(equal_in_constant_time("", ""));
  CHECK(equal_in_constant_time("abc", "abc"));
  CHECK_FALSE(equal_in_constant_time("abc", "abd"));
  CHECK_FALSE(equal_in_constant_time("abc", "ab"));
  CHECK_FALSE(equal_in_constant_time("", "a"));
  CHECK_FALSE(sha256("a") == sha256("b"));
}

TEST_CASE("random bytes are as many as asked for, and never the same") {
  CHECK(random_bytes(0).empty());
  CHECK(random_bytes(3'000'000).size() == 3'000'000);
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(random_token());
  CHECK(seen.size() == 1000);
  CHECK(from_base64url(random_token(18)).value().size() == 18);
  // Every bit moves: 2000 bytes without one that is often enough 0 and 1 would be no accident.
  int ones[8] = {};
  for (const char c : random_bytes(2000))
    for (int b = 0; b < 8; ++b) ones[b] += (c >> b) & 1;
  for (const int n : ones) CHECK((n > 800 && n < 1200));
}

TEST_CASE("what is wiped is gone") {
  std::string secret = "secret";
  wipe(secret.data(), secret.size());
  CHECK(secret == std::string(6, '\0'));
}
