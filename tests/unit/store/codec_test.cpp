#include "store/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

#include "unit/store/fixture.h"

namespace estiva::store {
namespace {

std::string encoded(const Lease& lease) {
  std::string bytes;
  encode_lease(lease, bytes);
  return bytes;
}

std::string random_text(std::mt19937_64& random) {
  std::string text(random() % 40, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

Lease random_lease(std::mt19937_64& random) {
  Lease lease;
  lease.id = random_text(random);
  lease.model = random_text(random);
  for (std::uint64_t i = random() % 9; i > 0; --i) {
    lease.shares.push_back(
        {DeviceId{random_text(random), random_text(random), random_text(random)}, {random()}});
  }
  lease.state = static_cast<LeaseState>(random() % 3);
  if (random() % 2) {
    lease.holder = Holder{static_cast<pid_t>(random() & 0x7fffffff), random(), random_text(random)};
  }
  lease.granted_at.ns = static_cast<std::int64_t>(random());
  lease.node_id = random_text(random);
  lease.boot_epoch = random();
  lease.sequence = random() >> (random() % 64);
  return lease;
}

TEST(Codec, any_lease_comes_back_as_it_was) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 2000; ++i) {
    const Lease lease = random_lease(random);
    const auto back = decode_lease(encoded(lease));
    ASSERT_TRUE(back.has_value()) << "round " << i;
    ASSERT_EQ(*back, lease) << "round " << i;
  }
}

TEST(Codec, a_cut_or_lengthened_lease_is_refused) {
  const std::string bytes = encoded(lease_for_test(7));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_lease(bytes.substr(0, size))) << size;
  }
  EXPECT_FALSE(decode_lease(bytes + '\0'));
}

TEST(Codec, an_unknown_format_is_refused) {
  std::string bytes = encoded(lease_for_test(7));
  bytes[0] = 2;
  EXPECT_FALSE(decode_lease(bytes));
}

// The file format: if this changes, older databases can't be read, and the format byte must grow.
TEST(Codec, the_bytes_of_a_lease_are_fixed) {
  Lease lease;
  lease.id = "l-1";
  lease.model = "m";
  lease.shares = {{DeviceId{"nvidia", "GPU-0", ""}, Bytes{300}}};
  lease.state = LeaseState::active;
  lease.holder = Holder{2, 3, "b"};
  lease.granted_at = {4};
  lease.node_id = "n";
  lease.boot_epoch = 5;
  lease.sequence = 6;
  const std::string expected(
      "\x01\x03l-1\x01m\x01\x06nvidia\x05GPU-0\x00\xac\x02\x01\x01\x02\x03\x01"
      "b\x04\x01n\x05\x06",
      35);
  EXPECT_EQ(encoded(lease), expected);
}

TEST(Codec, random_bytes_never_decode_to_another_spelling) {
  std::mt19937_64 random(3);
  int decoded = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = encoded(random_lease(random));
    for (int flips = 1 + static_cast<int>(random() % 3); flips > 0; --flips) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    if (const auto lease = decode_lease(bytes)) {
      ++decoded;
      ASSERT_EQ(encoded(*lease), bytes) << "round " << i;
    }
  }
  EXPECT_GT(decoded, 100);  // the test does reach the other side
}

TEST(Codec, a_body_with_all_its_parts_comes_back) {
  Write write = Write::grant(lease_for_test(3), Decision{"want", nullptr, "got"});
  write.text = "why";
  std::string bytes;
  encode_body(write, 77, bytes);
  const auto body = decode_body(bytes);
  ASSERT_TRUE(body.has_value());
  EXPECT_EQ(body->text, "why");
  EXPECT_EQ(body->lease, write.lease);
  EXPECT_TRUE(body->has_decision);
  EXPECT_EQ(body->request, "want");
  EXPECT_EQ(body->outcome, "got");
  EXPECT_EQ(body->readings, 77U);
}

TEST(Codec, a_count_of_shares_beyond_the_input_is_refused_before_memory_is_taken) {
  const std::string bytes("\x01\x01i\x01m\xff\xff\xff\xff\x0f", 10);
  EXPECT_FALSE(decode_lease(bytes));
}

}  // namespace
}  // namespace estiva::store
