// A live lease that needs less: what the keeper grants of its room, and what a restart finds.
#include "keeper_fixture.h"

namespace estiva::daemon {
namespace {

class KeeperShrinks : public KeeperTest {
 protected:
  // A child that holds 6 of the 10 GiB under a lease.
  void load() {
    decide::AssignRequest wanted = request("a", gib(6));
    wanted.holder = *host::identify(root_, child_.pid(), boot_id_);
    holder_ = wanted.holder;
    const auto granted = assign(wanted);
    ASSERT_TRUE(granted && !granted->refusal);
    id_ = granted->lease.id;
    show(gib(6));
  }
  void show(Bytes held) {
    gpus_ = {gpu_with(0, gib(10), held, {process_of(child_.pid(), held)})};
    keeper_->observe(*view_now(), Missing::not_read);
  }
  Result<Lease> shrink(const std::string& id, std::vector<Bytes> bytes) {
    std::optional<Result<Lease>> shrunk;
    loop_->spawn([](KeeperShrinks* test, std::string lease, std::vector<Bytes> to,
                    std::optional<Result<Lease>>& out) -> net::Awaitable<void> {
      out = co_await test->keeper_->shrink(std::move(lease), std::move(to));
    }(this, id, std::move(bytes), shrunk));
    EXPECT_TRUE(run_until([&shrunk] { return shrunk.has_value(); })) << "no answer";
    return shrunk ? *shrunk : fail("no answer");
  }
  Child child_{true};
  std::optional<Holder> holder_;
  std::string id_;
};

TEST_F(KeeperShrinks, ItsRoomIsGrantedWhenTheGpuShowsItFree) {
  load();
  const auto shrunk = shrink(id_, {mib(200)});
  ASSERT_TRUE(shrunk) << shrunk.error().sentence();
  EXPECT_EQ(shrunk->shares[0].bytes, mib(200));
  const auto early = assign(request("b", gib(8)));
  ASSERT_TRUE(early);
  EXPECT_TRUE(early->refusal) << "said, and not done";
  show(mib(200));
  const auto later = assign(request("b", gib(8)));
  ASSERT_TRUE(later);
  EXPECT_FALSE(later->refusal);
}

TEST_F(KeeperShrinks, ARestartFindsItAsSmallAndItGrowsBackUnderItsId) {
  load();
  ASSERT_TRUE(shrink(id_, {mib(200)}));
  open();
  ASSERT_NE(keeper_->ledger().find(id_), nullptr);
  EXPECT_EQ(keeper_->ledger().find(id_)->lease.shares[0].bytes, mib(200));
  show(mib(200));
  decide::AssignRequest back = request("a", gib(6));
  back.holder = holder_;
  const auto grown = assign(back);
  ASSERT_TRUE(grown && !grown->refusal);
  EXPECT_EQ(grown->lease.id, id_);
  open();
  EXPECT_EQ(keeper_->ledger().find(id_)->lease.shares[0].bytes, gib(6));
}

TEST_F(KeeperShrinks, WhatIsNotThereOrNotSmallerChangesNothing) {
  load();
  EXPECT_EQ(shrink("l-999999999999", {mib(1)}).error().kind, ErrorKind::not_found);
  const auto same = shrink(id_, {gib(7)});
  ASSERT_TRUE(same);
  EXPECT_EQ(same->shares[0].bytes, gib(6));
  ASSERT_TRUE(release("a"));
  EXPECT_EQ(shrink(id_, {mib(1)}).error().kind, ErrorKind::not_found) << "it is leaving";
}

}  // namespace
}  // namespace estiva::daemon
