// Keys: who may do what, how often a day, and what is told of it.
#include "gateway/keys.h"

#include <gtest/gtest.h>

#include "format/sha256.h"

namespace estiva::gateway {
namespace {

constexpr std::int64_t kDay = std::int64_t{86'400} * 1'000'000'000;

api::GatewayKey key(const std::string& name, const std::string& role, std::uint64_t quota = 0) {
  return {name, format::sha256_hex("secret-" + name), role, quota};
}

int status(KeyRing& ring, std::string_view shown, Right right, std::int64_t now = 1) {
  const auto checked = ring.check(shown, right, WallTime{now});
  return checked.refusal ? checked.refusal->status : 200;
}

TEST(KeyRing, AdmitsByRole) {
  KeyRing ring;
  ring.set({key("v", "view"), key("u", "use"), key("o", "operate"), key("n", "nothing")});
  EXPECT_EQ(status(ring, "secret-v", Right::list), 200);
  EXPECT_EQ(status(ring, "secret-v", Right::call), 403);
  EXPECT_EQ(status(ring, "secret-u", Right::call), 200);
  EXPECT_EQ(status(ring, "secret-o", Right::call), 200);
  EXPECT_EQ(status(ring, "secret-n", Right::list), 403);
  EXPECT_EQ(status(ring, "", Right::list), 401);
  EXPECT_EQ(status(ring, "secret-x", Right::list), 401);
  EXPECT_EQ(status(ring, format::sha256_hex("secret-u"), Right::list),
            401);  // the digest is no key
}

TEST(KeyRing, AKeyWithoutADigestOpensNothing) {
  KeyRing ring;
  ring.set({{"e", "", "use", 0}});
  EXPECT_EQ(status(ring, "", Right::call), 401);
  EXPECT_EQ(status(ring, "x", Right::call), 401);
}

TEST(KeyRing, TheQuotaIsOfADayAndSaysWhenTheNextBegins) {
  KeyRing ring;
  ring.set({key("q", "use", 2)});
  EXPECT_EQ(status(ring, "secret-q", Right::call, kDay), 200);
  EXPECT_EQ(status(ring, "secret-q", Right::call, 2 * kDay - 1), 200);
  const auto third = ring.check("secret-q", Right::call, WallTime{kDay + kDay / 2});
  ASSERT_TRUE(third.refusal);
  EXPECT_EQ(third.refusal->status, 429);
  EXPECT_DOUBLE_EQ(*third.refusal->retry_after_seconds, 43'200);
  ring.set({key("q", "use", 2)});  // told again: nothing is given back
  EXPECT_EQ(status(ring, "secret-q", Right::call, 2 * kDay - 1), 429);
  EXPECT_EQ(status(ring, "secret-q", Right::call, 2 * kDay), 200);
}

TEST(KeyRing, WhatIsRevokedIsRefusedFromNowOn) {
  KeyRing ring;
  ring.set({key("u", "use")});
  EXPECT_EQ(status(ring, "secret-u", Right::call), 200);
  ring.set({});
  EXPECT_EQ(status(ring, "secret-u", Right::call), 401);
}

TEST(KeyRing, TellsTotalsOfWhatChanged) {
  KeyRing ring;
  ring.set({key("a", "use"), key("b", "use")});
  EXPECT_TRUE(ring.take_changes().empty());
  status(ring, "secret-a", Right::call);
  status(ring, "secret-a", Right::call);
  ring.add_bytes("a", 3, 5);
  auto changes = ring.take_changes();
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].key, "a");
  EXPECT_EQ(changes[0].requests, 2u);
  EXPECT_EQ(changes[0].bytes_out, 5u);
  EXPECT_TRUE(ring.take_changes().empty());
  ring.restart_counts();
  status(ring, "secret-a", Right::call);
  EXPECT_EQ(ring.take_changes().at(0).requests, 1u);
}

TEST(KeyRing, AKeyIsShownInEitherField) {
  net::RequestHead head;
  EXPECT_EQ(KeyRing::shown(head), "");
  head.headers.add("X-Api-Key", "k");
  EXPECT_EQ(KeyRing::shown(head), "k");
  head.headers.add("Authorization", "Bearer t");
  EXPECT_EQ(KeyRing::shown(head), "t");
}

}  // namespace
}  // namespace estiva::gateway
