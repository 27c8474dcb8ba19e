// Asking leases for their bytes, on a real keeper; the programs are what the test says.
#include "daemon/library_leases.h"

#include <thread>

#include "keeper_fixture.h"

namespace estiva::daemon {
namespace {

using api::Revoked;
using Kind = api::LibraryEvent::Kind;

class LibraryLeasesTest : public KeeperTest {
 protected:
  LibraryLeasesTest() {
    library_ = std::make_unique<LibraryLeases>(LibraryLeases::Parts{
        *loop_, *keeper_,
        [this](decide::AssignRequest wanted, api::AssignTerms terms) {
          return keeper_->assign(std::move(wanted), std::move(terms));
        },
        [this](const std::string& model) { return model == managed_; }, [] {}});
  }
  Lease hold(const std::string& model, Bytes bytes, bool revocable = true) {
    const auto answer = assign(request(model, bytes));
    EXPECT_TRUE(answer && !answer->refusal);
    library_->enrol(answer->lease, {revocable, {}});
    return answer->lease;
  }
  std::shared_ptr<std::optional<Revoked>> revoke(const Lease& lease, Nanoseconds limit) {
    auto how = std::make_shared<std::optional<Revoked>>();
    loop_->spawn([](LibraryLeases* library, std::string id, Nanoseconds most,
                    std::shared_ptr<std::optional<Revoked>> out) -> net::Awaitable<void> {
      *out = co_await library->revoke(std::move(id), "why", most);
    }(library_.get(), lease.id, limit, how));
    loop_->run_for(5ms);
    return how;
  }
  void yield(const Lease& lease) {
    bool done = false;
    loop_->spawn([](LibraryLeases* library, Lease its, bool& is_done) -> net::Awaitable<void> {
      std::vector<Bytes> nothing(1);
      (void)co_await library->yielded(std::move(its), std::move(nothing));
      is_done = true;
    }(library_.get(), lease, done));
    ASSERT_TRUE(run_until([&done] { return done; }));
  }
  Kind told(const Lease& lease) { return (*library_->event_after(lease.id, 0))->kind; }

  std::string managed_;
  std::unique_ptr<LibraryLeases> library_;
};

TEST_F(LibraryLeasesTest, HowARevocationEnds) {
  const Lease yields = hold("yields", gib(1)), leaves = hold("leaves", gib(1)),
              stays = hold("stays", gib(1)), cannot = hold("cannot", gib(1), false);
  const auto first = revoke(yields, 5s), second = revoke(leaves, 5s), third = revoke(stays, 50ms),
             fourth = revoke(cannot, 5s);
  EXPECT_EQ(*fourth, Revoked::refused) << "it never said that it can";
  EXPECT_EQ(told(yields), Kind::revoke);
  yield(yields);
  ASSERT_TRUE(release("leaves"));
  library_->ledger_changed();
  ASSERT_TRUE(run_until([&] { return *first && *second && *third; }));
  EXPECT_EQ(*first, Revoked::yielded);
  EXPECT_EQ(*second, Revoked::released);
  EXPECT_EQ(*third, Revoked::refused);
  EXPECT_EQ(told(stays), Kind::granted_bytes) << "it may go on";
  EXPECT_FALSE(library_->event_after(leaves.id, 0)) << "the stream of its events ends";
}

TEST_F(LibraryLeasesTest, OneThatComputesIsAskedWhenItIsDone) {
  const Lease lease = hold("a", gib(1));
  ASSERT_TRUE(library_->use(lease, true));
  const auto how = revoke(lease, 5s);
  EXPECT_EQ(told(lease), Kind::granted_bytes);
  ASSERT_TRUE(library_->use(lease, false));
  ASSERT_TRUE(run_until([&] { return told(lease) == Kind::revoke; }));
  EXPECT_FALSE(library_->use(lease, true)) << "it has to give them back first";
  yield(lease);
  ASSERT_TRUE(run_until([&] { return how->has_value(); }));
  EXPECT_EQ(*how, Revoked::yielded);
}

TEST_F(LibraryLeasesTest, AnOfferIsForThoseWhoGaveTheirBytesBack) {
  const Lease lease = hold("a", gib(1));
  library_->offer(lease.id, "room");
  EXPECT_EQ(told(lease), Kind::granted_bytes);
  yield(lease);
  library_->offer(lease.id, "room");
  EXPECT_EQ(told(lease), Kind::resume);
}

TEST_F(LibraryLeasesTest, RoomIsMadeByTheOneUsedLongestAgoAndNeverByAManagedOne) {
  managed_ = "managed";
  const Lease managed = hold("managed", gib(3)), older = hold("older", gib(3)),
              newer = hold("newer", gib(3));
  library_->make_room(request("x", gib(3)));
  loop_->run_for(5ms);
  EXPECT_EQ(told(older), Kind::granted_bytes) << "it has had its bytes for no time at all";
  std::this_thread::sleep_for(LibraryLeases::kShortestStay + 1ms);
  ASSERT_TRUE(library_->use(older, false));
  library_->make_room(request("x", gib(3)));
  loop_->run_for(5ms);
  EXPECT_EQ(told(managed), Kind::granted_bytes);
  EXPECT_EQ(told(older), Kind::granted_bytes) << "used just now";
  EXPECT_EQ(told(newer), Kind::revoke);
}

}  // namespace
}  // namespace estiva::daemon
