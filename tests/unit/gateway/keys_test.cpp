// Keys: who may do what, how often a day, and what is told of it.
#include "gateway/keys.h"

#include <gtest/gtest.h>

#include "format/sha256.h"

namespace estiva::gateway {
namespace {

constexpr std::int64_t kDay = std::int64_t{86'400} * 1'000'000'000;

api::GatewayKey key(const std::string& name, const std::string& role, std::uint64_t quota = 0) {
  return {name, format::sha256_hex("secret-" + name), role, quota, 0, {}, 0, 0};
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
  ring.set({{"e", "", "use", 0, 0, {}, 0, 0}});
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

TEST(KeyRing, TellsWhatWasUsedSinceTheLastTime) {
  KeyRing ring;
  ring.set({key("a", "use"), key("b", "view")});
  EXPECT_TRUE(ring.take_changes().empty());
  status(ring, "secret-a", Right::call, kDay);
  {
    const auto checked = ring.check("secret-a", Right::call, WallTime{kDay});
    checked.stay.add_bytes(3, 5);
  }
  status(ring, "secret-b", Right::call);
  auto changes = ring.take_changes();
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[0].key, "a");
  EXPECT_EQ(changes[0].requests, 2u);
  EXPECT_EQ(changes[0].bytes_out, 5u);
  EXPECT_EQ(changes[1].requests, 0u);
  EXPECT_EQ(changes[1].refused, 1u);
  EXPECT_TRUE(ring.take_changes().empty());
  status(ring, "secret-a", Right::call, kDay);
  changes = ring.take_changes();
  EXPECT_EQ(changes.at(0).requests, 1u);
  EXPECT_EQ(changes.at(0).day, 1);
  EXPECT_EQ(changes.at(0).today, 3u);
}

TEST(KeyRing, ANewGatewayGoesOnCountingTheDay) {
  KeyRing ring;
  api::GatewayKey told = key("q", "use", 5);
  told.day = 7;
  told.today = 4;
  ring.set({told});
  EXPECT_EQ(status(ring, "secret-q", Right::call, 7 * kDay), 200);
  EXPECT_EQ(status(ring, "secret-q", Right::call, 7 * kDay), 429);
  ring.set({told});  // told again while it runs: its own count is the newer one
  EXPECT_EQ(status(ring, "secret-q", Right::call, 7 * kDay), 429);
}

TEST(KeyRing, SoManyAtOnceAndNoMore) {
  KeyRing ring;
  api::GatewayKey two = key("q", "use");
  two.at_once = 2;
  ring.set({two});
  auto first = ring.check("secret-q", Right::call, WallTime{1});
  auto second = ring.check("secret-q", Right::call, WallTime{1});
  const auto third = ring.check("secret-q", Right::call, WallTime{1});
  ASSERT_TRUE(third.refusal);
  EXPECT_EQ(third.refusal->status, 429);
  EXPECT_TRUE(third.refusal->retry_after_seconds);
  first.stay = KeyStay();
  EXPECT_EQ(status(ring, "secret-q", Right::call), 200);
  ring.set({});     // revoked while one is under way
  ring.set({two});  // and made again: that one counts for nothing here
  second.stay = KeyStay();
  auto again = ring.check("secret-q", Right::call, WallTime{1});
  EXPECT_FALSE(again.refusal);
}

TEST(KeyRing, AKeyOfSomeModelsMayUseThoseByAnyName) {
  KeyRing ring;
  api::GatewayKey some = key("s", "use");
  some.models = {"a", "other-name"};
  ring.set({some, key("u", "use")});
  const auto checked = ring.check("secret-s", Right::call, WallTime{1});
  const api::Route a{"a", {}, "", "", 0, 1, 0}, b{"b", {"other-name"}, "", "", 0, 1, 0},
      c{"c", {"d"}, "", "", 0, 1, 0};
  EXPECT_TRUE(checked.stay.may_use(a));
  EXPECT_TRUE(checked.stay.may_use(b));
  EXPECT_FALSE(checked.stay.may_use(c));
  EXPECT_EQ(checked.stay.refuse_model("c").status, 403);
  EXPECT_TRUE(ring.check("secret-u", Right::call, WallTime{1}).stay.may_use(c));
  EXPECT_TRUE(KeyStay().may_use(c));
}

TEST(KeyRing, OnlyOperateOperates) {
  KeyRing ring;
  ring.set({key("u", "use"), key("o", "operate")});
  EXPECT_EQ(status(ring, "secret-u", Right::operate), 403);
  EXPECT_EQ(status(ring, "secret-o", Right::operate), 200);
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
