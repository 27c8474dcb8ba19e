#include "format/sha256.h"

#include <gtest/gtest.h>

#include "format/text.h"

namespace estiva::format {
namespace {

struct Vector {
  const char* name;
  std::string message;
  const char* digest;
};

// NIST, Cryptographic Standards and Guidelines, "Examples with Intermediate Values", SHA-256; the
// million and the 896 bits are of FIPS 180-2's and RFC 6234's tests.
const Vector kVectors[] = {
    {"empty", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"one block", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"two blocks", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {"896 bits",
     "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnop"
     "qr"
     "smnopqrstnopqrstu",
     "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    {"a million", std::string(1'000'000, 'a'),
     "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
};

TEST(Sha256, GivesTheDigestsOfNist) {
  for (const auto& [name, message, digest] : kVectors)
    EXPECT_EQ(sha256_hex(message), digest) << name;
}

TEST(Sha256, EveryLengthAroundTheBlocks) {
  // Python's hashlib, over the hexadecimal digests of "", "x", "xx", ... up to 300 bytes.
  Sha256 all;
  for (std::size_t n = 0; n <= 300; ++n) all.add(sha256_hex(std::string(n, 'x')));
  EXPECT_EQ(to_hex(all.finish()),
            "4f1214e9ef2dcfefe099f05aaaceccdad8549cc50a52723cdba372bb89323705");
}

TEST(Sha256, PiecesAreTheSameAsTheWhole) {
  const std::string text(200, 'q');
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Sha256 sum;
    sum.add(std::string_view(text).substr(0, cut));
    sum.add({});
    sum.add(std::string_view(text).substr(cut));
    Sha256 whole;
    whole.add(text);
    ASSERT_EQ(sum.finish(), whole.finish()) << cut;
  }
}

TEST(Sha256, NamesAreSixtyFourLowerCaseDigits) {
  const std::string name = sha256_hex("x");
  EXPECT_TRUE(is_sha256_hex(name));
  EXPECT_FALSE(is_sha256_hex(name.substr(1)));
  EXPECT_FALSE(is_sha256_hex(name + "0"));
  EXPECT_FALSE(is_sha256_hex(std::string(64, 'A')));
  EXPECT_FALSE(is_sha256_hex(""));
}

}  // namespace
}  // namespace estiva::format
