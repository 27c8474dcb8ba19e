// Models that ask for their bytes themselves: what their programs do moves them in and out beside
// the others, on a real keeper.
#include <thread>

#include "daemon/lease_engine.h"
#include "daemon/library_leases.h"
#include "residents_fixture.h"

namespace estiva::daemon {
namespace {

class LeaseModels : public ResidentsTest {
 protected:
  LeaseModels() {
    ModelSpec& lease = add("library", gib(6));
    lease.engine = ModelEngine::lease;
    lease.quantum = 0s;
    add("other", gib(6)).quantum = 0s;
  }
  ~LeaseModels() override { residents_.reset(); }

  void begin_with_leases() {
    library_ = std::make_unique<LibraryLeases>(LibraryLeases::Parts{
        *loop_,
        *keeper_,
        {},
        [this](const std::string& model) { return residents_ && residents_->manages(model); },
        [] {},
        [this](const std::string& model, Residents::LeaseMove move) {
          residents_->lease_moved(model, move);
        }});
    make_room_ = [this](const decide::AssignRequest& wanted, std::vector<decide::Yielder> ours) {
      return library_->make_room(wanted, std::move(ours));
    };
    door_ = {[this](const std::string& model) { return library_->program_of(model); },
             [this](std::string model) { return library_->ask_model(std::move(model)); }};
    begin();
  }
  std::unique_ptr<engines::Engine> engine_of(const ModelSpec& spec,
                                             const engines::EngineParts& parts) override {
    if (spec.engine == ModelEngine::lease) return make_lease_engine(spec, parts, door_);
    return ResidentsTest::engine_of(spec, parts);
  }
  decide::AssignRequest wish() {
    decide::AssignRequest wanted = request("library", gib(6));
    wanted.holder = *host::identify(root_, program_.pid(), boot_id_);
    return wanted;
  }
  // Its program asks; a lease: it has it.
  bool ask() {
    const auto answer = assign(wish());
    if (!answer || answer->refusal) return false;
    lease_ = answer->lease;
    library_->enrol(lease_, {true, {}});
    return true;
  }
  void yield() {
    loop_->spawn([](LibraryLeases* leases, Lease its) -> net::Awaitable<void> {
      std::vector<Bytes> nothing(1);
      (void)co_await leases->yielded(std::move(its), std::move(nothing));
    }(library_.get(), lease_));
  }
  std::shared_ptr<std::optional<Result<void>>> begin_load(const std::string& name) {
    auto done = std::make_shared<std::optional<Result<void>>>();
    loop_->spawn([](Residents* residents, std::string model,
                    std::shared_ptr<std::optional<Result<void>>> out) -> net::Awaitable<void> {
      *out = co_await residents->load(std::move(model));
    }(residents_.get(), name, done));
    return done;
  }
  bool is_asked() {
    return (*library_->event_after(lease_.id, 0))->kind == api::LibraryEvent::Kind::revoke;
  }

  Child program_{true};
  Lease lease_;
  LeaseDoor door_;
  std::unique_ptr<LibraryLeases> library_;
};

TEST_F(LeaseModels, AProgramThatHasItsBytesIsAModelThatIsIn) {
  begin_with_leases();
  ASSERT_TRUE(ask());
  ASSERT_TRUE(settles([this] { return status("library").state == "resident"; }));
  EXPECT_EQ(status("library").pid, program_.pid());
  EXPECT_EQ(status("library").charged, gib(6));
  const auto loaded = load("library");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().kind, ErrorKind::refused) << "only its program loads it";
}

TEST_F(LeaseModels, ItLeavesForAnotherWhenItIsDoneComputingAndKeepsItsLease) {
  begin_with_leases();
  ASSERT_TRUE(ask());
  ASSERT_TRUE(settles([this] { return status("library").state == "resident"; }));
  ASSERT_TRUE(library_->use(lease_, true));
  const auto done = begin_load("other");
  ASSERT_TRUE(settles([this] { return status("library").state == "draining"; }));
  EXPECT_FALSE(is_asked()) << "it computes";
  ASSERT_TRUE(library_->use(lease_, false));
  ASSERT_TRUE(settles([this] { return is_asked(); }));
  yield();
  ASSERT_TRUE(settles([&done] { return done->has_value(); }));
  EXPECT_TRUE(**done) << (*done)->error().sentence();
  EXPECT_EQ(status("library").state, "absent");
  EXPECT_NE(keeper_->ledger().find(lease_.id), nullptr) << "as small as it is";
}

TEST_F(LeaseModels, OthersLeaveForAProgramThatWaits) {
  begin_with_leases();
  ASSERT_TRUE(load("other"));
  EXPECT_FALSE(ask());
  EXPECT_TRUE(residents_->want(wish()));
  bool has_it = false;
  ASSERT_TRUE(settles([&] {
    (void)residents_->want(wish());  // as its turn comes again
    has_it = has_it || (!children_.contains("other") && ask());
    return has_it && status("library").state == "resident";
  })) << status("library").state;
  EXPECT_EQ(status("other").state, "absent");
  EXPECT_EQ(status("library").lease, lease_.id);
}

TEST_F(LeaseModels, APinnedOneIsNeverAsked) {
  models_[0].pinned = true;
  begin_with_leases();
  ASSERT_TRUE(ask());
  ASSERT_TRUE(settles([this] { return status("library").state == "resident"; }));
  const auto loaded = load("other");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().kind, ErrorKind::no_room);
  EXPECT_FALSE(is_asked());
}

}  // namespace
}  // namespace estiva::daemon
