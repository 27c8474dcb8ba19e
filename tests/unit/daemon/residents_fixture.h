// Residents on a real keeper and a real store. Their engines are children of the test, which
// outlive them as real ones do; what they hold on the GPU is what the test says.
#pragma once
#include <map>

#include "daemon/residents.h"
#include "keeper_fixture.h"

namespace estiva::daemon {

struct Program {
  explicit Program(bool holds_already = true) : holds(holds_already) {}
  Child child{true};
  bool holds;  // its bytes on the GPU
};
using Children = std::map<std::string, std::unique_ptr<Program>>;

class ChildEngine final : public engines::Engine {
 public:
  ChildEngine(std::string model, Children& children, const engines::EngineParts& parts)
      : model_(std::move(model)), children_(children), parts_(parts) {}

  net::Awaitable<Result<engines::EngineFacts>> probe() override {
    engines::EngineFacts facts;
    co_return facts;
  }
  net::Awaitable<Result<engines::Running>> load(
      engines::LoadTerms, std::function<void(const Holder&)> started) override {
    children_[model_] = std::make_unique<Program>(false);
    parts_.keep(model_, record(), {});
    engines::Running running = as_it_runs();
    started(*running.holder);
    // Bound before it takes anything, as a program that is still being loaded.
    co_await parts_.loop.sleep(30ms);
    children_.at(model_)->holds = true;
    co_return running;
  }
  net::Awaitable<Result<void>> sleep() override { co_return fail("it can't sleep"); }
  net::Awaitable<Result<engines::Running>> wake(engines::LoadTerms) override {
    co_return fail("it can't sleep");
  }
  net::Awaitable<Result<void>> stop() override {
    children_.erase(model_);
    co_return Result<void>();
  }
  net::Awaitable<Result<std::string>> find_running() override {
    if (!children_.contains(model_)) co_return fail(ErrorKind::not_found, "it does not run");
    co_return record();
  }
  net::Awaitable<Result<engines::Running>> adopt(std::string_view) override {
    if (!children_.contains(model_)) co_return fail(ErrorKind::not_found, "it is gone");
    co_return as_it_runs();
  }
  std::string record() const override { return children_.contains(model_) ? "child" : ""; }
  std::vector<pid_t> roots() const override {
    if (!children_.contains(model_)) return {};
    return {children_.at(model_)->child.pid()};
  }
  std::vector<std::string> log_tail() const override { return {}; }

 private:
  engines::Running as_it_runs() const {
    engines::Running running;
    running.endpoint.host = "127.0.0.1";
    running.endpoint.port = 9;
    running.holder =
        *host::identify(parts_.root, children_.at(model_)->child.pid(), parts_.boot_id);
    return running;
  }

  std::string model_;
  Children& children_;
  engines::EngineParts parts_;
};

class ResidentsTest : public KeeperTest {
 protected:
  ~ResidentsTest() override { residents_.reset(); }

  // A daemon that starts, on what the last one left.
  void begin() {
    if (residents_) {
      residents_.reset();
      open();
    }
    during_reading_ = [this] { show(); };
    Residents::Parts parts{*loop_, *store_, *keeper_, root_, boot_id_, folder_.path()};
    parts.simulated = true;
    parts.models = models_;
    parts.settings = settings_;
    parts.read_again = [this] { return Result<std::vector<ModelSpec>>(models_); };
    parts.make_room = make_room_;
    parts.make_engine = [this](const ModelSpec& spec, const engines::EngineParts& its) {
      return engine_of(spec, its);
    };
    residents_ = std::make_unique<Residents>(std::move(parts));
    look();
    residents_->start(store_->opened().notes);
    loop_->run_for(20ms);
  }
  virtual std::unique_ptr<engines::Engine> engine_of(const ModelSpec& spec,
                                                     const engines::EngineParts& parts) {
    return std::make_unique<ChildEngine>(spec.name, children_, parts);
  }
  // What the driver shows: each child with what its model takes.
  void show() {
    Bytes used = foreign_;
    std::vector<GpuProcess> processes;
    for (const auto& [name, program] : children_) {
      if (!program->holds) continue;
      processes.push_back(process_of(program->child.pid(), takes_[name]));
      used += takes_[name];
    }
    gpus_ = {gpu_with(0, gib(10), used, processes)};
  }
  void look() {
    show();
    keeper_->observe(*view_now(), Missing::not_read);
    if (residents_) residents_->look_at_ledger();
  }
  bool settles(const std::function<bool()>& done) {
    for (int i = 0; i < 500 && !done(); ++i) {
      loop_->run_for(10ms);
      look();
    }
    return done();
  }
  api::ModelStatus status(const std::string& name) const {
    for (const api::ModelStatus& model : residents_->models()) {
      if (model.name == name) return model;
    }
    return {};
  }
  Result<void> load(const std::string& name) {
    std::optional<Result<void>> done;
    loop_->spawn([](Residents* residents, std::string model,
                    std::optional<Result<void>>& out) -> net::Awaitable<void> {
      out = co_await residents->load(std::move(model));
    }(residents_.get(), name, done));
    EXPECT_TRUE(settles([&done] { return done.has_value(); })) << "no answer";
    return done ? *done : fail("no answer");
  }
  // One that is configured, of so many bytes, which it takes once it runs.
  ModelSpec& add(const std::string& name, Bytes vram) {
    takes_[name] = vram;
    ModelSpec spec;
    spec.name = name;
    spec.vram = vram;
    return models_.emplace_back(spec);
  }

  Bytes foreign_;
  std::map<std::string, Bytes> takes_;
  Children children_;
  std::vector<ModelSpec> models_;
  format::ResidencySettings settings_;
  Residents::MakeRoom make_room_;
  std::unique_ptr<Residents> residents_;
};

}  // namespace estiva::daemon
