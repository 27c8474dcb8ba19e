// A keeper on a real store, real processes and readings made here.
#pragma once
#include <gtest/gtest.h>

#include "api/backend.h"
#include "daemon/health_keeper.h"
#include "daemon/keeper.h"
#include "host/machine.h"
#include "host/process.h"
#include "store/store.h"
#include "support.h"

namespace estiva::daemon {

using namespace std::chrono_literals;

class KeeperTest : public testing::Test {
 protected:
  KeeperTest() { open(); }
  ~KeeperTest() override {
    keeper_.reset();
    health_.reset();
    store_.reset();
    loop_.reset();
  }

  // A daemon that starts: on what the last one left.
  void open() {
    keeper_.reset();
    health_.reset();
    store_.reset();
    loop_ = std::make_unique<net::Loop>();
    store::Options options;
    options.executor = [this](std::function<void()> work) { loop_->post(std::move(work)); };
    options.boot_id = boot_id_;
    auto opened = store::Store::open(folder_.path(), std::move(options));
    ASSERT_TRUE(opened) << opened.error().sentence();
    store_ = std::move(*opened);
    health_ = std::make_unique<HealthKeeper>(HealthKeeper::Parts{*store_, boot_id_, {}, [] {}, {}});
    keeper_ = std::make_unique<Keeper>(Keeper::Parts{*loop_,
                                                     *store_,
                                                     root_,
                                                     boot_id_,
                                                     [this] { return read(); },
                                                     [this] { return view_now(); },
                                                     [] {},
                                                     [this] { return containers_; },
                                                     {},
                                                     decide::Choice::by_gpu_count,
                                                     *health_});
    keeper_->restore();
  }

  gpu::SensorViewPtr view_now() {
    auto view = std::make_shared<gpu::SensorView>();
    view->driver.state = driver_;
    view->driver.reason = driver_ == DriverState::ready ? "" : "the driver does not answer";
    view->gpus = gpus_;
    view->read_at = steady_now();
    view->tiers = gpu::kGrantTiers;
    return view;
  }

  net::Awaitable<Result<gpu::SensorViewPtr>> read() {
    ++readings_;
    const SteadyTime begun = steady_now();
    if (during_reading_) during_reading_();
    co_await loop_->sleep(reading_time_);
    if (driver_ != DriverState::ready) co_return fail(ErrorKind::refused, "no reading");
    auto view = std::make_shared<gpu::SensorView>(*view_now());
    view->read_at = begun;
    co_return gpu::SensorViewPtr(view);
  }

  decide::AssignRequest request(const std::string& model, Bytes bytes) {
    decide::AssignRequest wanted;
    wanted.model = model;
    wanted.shares = decide::on_any_gpus(1, bytes);
    wanted.requested_at = steady_now();
    return wanted;
  }

  void spawn_release(std::string model) {
    loop_->spawn([](KeeperTest* test, std::string name) -> net::Awaitable<void> {
      (void)co_await test->keeper_->release(std::move(name), {});
    }(this, std::move(model)));
  }

  void spawn_assign(decide::AssignRequest wanted, api::AssignTerms terms = {}) {
    loop_->spawn([](KeeperTest* test, decide::AssignRequest asked,
                    api::AssignTerms kept_to) -> net::Awaitable<void> {
      test->answers_.push_back(
          co_await test->keeper_->assign(std::move(asked), std::move(kept_to)));
    }(this, std::move(wanted), std::move(terms)));
  }

  // Runs the loop until `done` or five seconds.
  bool run_until(const std::function<bool()>& done) {
    for (int i = 0; i < 500 && !done(); ++i) loop_->run_for(10ms);
    return done();
  }

  Result<api::AssignAnswer> assign(decide::AssignRequest wanted, api::AssignTerms terms = {}) {
    answers_.clear();
    spawn_assign(std::move(wanted), std::move(terms));
    EXPECT_TRUE(run_until([this] { return answers_.size() == 1; })) << "no answer";
    return answers_.empty() ? fail("no answer") : answers_[0];
  }

  Result<Lease> release(const std::string& model, const std::string& id = {}) {
    std::optional<Result<Lease>> released;
    loop_->spawn([](KeeperTest* test, std::string name, std::string lease,
                    std::optional<Result<Lease>>& out) -> net::Awaitable<void> {
      out = co_await test->keeper_->release(std::move(name), std::move(lease));
    }(this, model, id, released));
    EXPECT_TRUE(run_until([&released] { return released.has_value(); })) << "no answer";
    return released ? *released : fail("no answer");
  }

  std::size_t granted() const {
    return static_cast<std::size_t>(
        std::count_if(answers_.begin(), answers_.end(),
                      [](const auto& answer) { return answer && !answer->refusal; }));
  }

  TemporaryFolder folder_;
  host::Root root_ = *host::Root::open("/");
  std::string boot_id_ = *host::read_boot_id(root_);
  Containers containers_;
  std::vector<Gpu> gpus_ = {gpu_with(0, gib(10), {}, {})};
  DriverState driver_ = DriverState::ready;
  Nanoseconds reading_time_ = 5ms;
  std::function<void()> during_reading_;
  int readings_ = 0;
  std::unique_ptr<net::Loop> loop_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<HealthKeeper> health_;
  std::unique_ptr<Keeper> keeper_;
  std::vector<Result<api::AssignAnswer>> answers_;
};

}  // namespace estiva::daemon
