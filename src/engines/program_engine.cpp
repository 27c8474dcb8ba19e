#include "engines/program_engine.h"

#include "engines/program_life.h"
#include "engines/program_version.h"

namespace estiva::engines {
namespace {

class ProgramEngine final : public Engine {
 public:
  ProgramEngine(const ModelSpec& spec, const EngineParts& parts, const ProgramKind& kind)
      : loop_(parts.loop), kind_(kind), life_(std::make_shared<ProgramLife>(spec, parts, kind)) {}

  net::Awaitable<Result<EngineFacts>> probe() override {
    const auto life = life_;
    const ProgramKind& kind = kind_;
    net::Loop& loop = loop_;
    const auto launch = life->prepare();
    if (!launch) co_return Failure(launch.error());
    EngineFacts facts;
    facts.can_sleep = kind.sleep != nullptr && life->spec().may_sleep;
    const auto estimate = kind.estimate != nullptr ? kind.estimate(life->spec()) : std::nullopt;
    if (estimate) {
      facts.estimate = estimate->bytes;
      facts.estimate_source = estimate->source;
    }
    if (!kind.version_words.empty()) {
      std::string program = find_program(life->spec(), kind.command(life->spec())[0]).value_or("");
      std::vector<std::string> words = kind.version_words;
      facts.version = co_await ask_version(loop, std::move(program), std::move(words));
    }
    co_return facts;
  }

  net::Awaitable<Result<Running>> load(LoadTerms terms,
                                       std::function<void(const Holder&)> started) override {
    return life_->load(std::move(terms), std::move(started));
  }
  net::Awaitable<Result<void>> sleep() override { return life_->sleep(); }
  net::Awaitable<Result<Running>> wake(LoadTerms) override { return life_->wake(); }
  net::Awaitable<Result<void>> stop() override { return life_->stop(); }
  net::Awaitable<Result<Running>> adopt(std::string_view record) override {
    return life_->adopt(std::string(record));
  }
  std::string record() const override { return life_->record(); }
  std::vector<std::string> log_tail() const override { return life_->log().tail(kLogLines); }

  std::vector<pid_t> roots() const override {
    const ProcessTree& tree = life_->process().tree();
    if (tree.leader.pid == 0) return {};
    std::vector<pid_t> pids = {tree.leader.pid};
    // Those that have lost their parent are no descendants of the leader any more.
    if (const auto all = tree.group ? members_of(*tree.group) : std::nullopt) {
      for (const pid_t pid : *all)
        if (pid != tree.leader.pid) pids.push_back(pid);
    }
    return pids;
  }

 private:
  net::Loop& loop_;
  const ProgramKind& kind_;
  const std::shared_ptr<ProgramLife> life_;
};

}  // namespace

std::unique_ptr<Engine> make_program_engine(const ModelSpec& spec, const EngineParts& parts,
                                            const ProgramKind& kind) {
  return std::make_unique<ProgramEngine>(spec, parts, kind);
}

}  // namespace estiva::engines
