#include "net/client_impl.h"

namespace estiva::net {

std::unique_ptr<Wire> Pool::take(const std::string& key) {
  const auto found = idle_.find(key);
  if (found == idle_.end()) return nullptr;
  std::unique_ptr<Wire> wire;
  auto& waiting = found->second;
  while (!waiting.empty() && !wire) {
    wire = std::move(waiting.back().wire);
    waiting.pop_back();
    --count_;
    if (!wire->stream.is_quiet()) wire.reset();  // closed meanwhile, or talking out of turn
  }
  if (waiting.empty()) idle_.erase(found);
  if (wire) wire->reused = true;
  return wire;
}

void Pool::give(const std::string& key, std::unique_ptr<Wire> wire) {
  auto& waiting = idle_[key];
  if (count_ >= limits_.pooled || waiting.size() >= limits_.pooled_per_endpoint) {
    if (waiting.empty()) idle_.erase(key);
    return;
  }
  wire->stream.set_read_deadline(0);
  wire->input.shrink(16 << 10);
  waiting.push_back({std::move(wire), steady_now()});
  ++count_;
  if (!ticker_) ticker_ = loop_.every(limits_.pool_time / 2, [this] { expire(); });
}

void Pool::drop(const std::string& key) {
  const auto found = idle_.find(key);
  if (found == idle_.end()) return;
  count_ -= found->second.size();
  idle_.erase(found);
}

void Pool::expire() {
  const SteadyTime now = steady_now();
  for (auto it = idle_.begin(); it != idle_.end();) {
    count_ -= std::erase_if(it->second,
                            [&](const Idle& idle) { return now - idle.since > limits_.pool_time; });
    it = it->second.empty() ? idle_.erase(it) : std::next(it);
  }
}

}  // namespace estiva::net
