// API keys of the gateway: who may call which models, how often a day, how many at once, and what
// each used. Keys are known by their SHA-256 only. Loop thread only.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/gateway_protocol.h"
#include "base/clock.h"
#include "gateway/refusal.h"
#include "net/message.h"

namespace estiva::gateway {

enum class Right : std::uint8_t {
  list,     // which models there are: every role
  call,     // a model: use and operate
  operate,  // load, unload and pin models: operate
};

// One key as it stands in the ring, and what was done with it.
struct KeyEntry {
  api::GatewayKey key;
  api::UseOfKey use;  // what was not told yet, but for `day` and `today`
  unsigned under_way = 0;
  bool is_changed = false;
};

// A request's hold on its key: it counts as under way until this is dropped. Outlives the key.
class KeyStay {
 public:
  KeyStay() = default;  // no key was needed
  explicit KeyStay(std::shared_ptr<KeyEntry> entry);
  KeyStay(KeyStay&&) = default;
  KeyStay& operator=(KeyStay&& other) noexcept;
  ~KeyStay() { leave(); }

  bool is_keyed() const { return entry_ != nullptr; }
  // Without a key, or with one of no particular models: every one.
  bool may_use(const api::Route& route) const;
  bool has_models() const { return entry_ && !entry_->key.models.empty(); }
  void add_bytes(std::uint64_t in, std::uint64_t out) const;
  // The request is turned away after all: this model is not among the key's.
  Refusal refuse_model(std::string_view model) const;

 private:
  void leave();
  std::shared_ptr<KeyEntry> entry_;
};

class KeyRing {
 public:
  // Replaces all: a key that is not among them is refused from now on. What was used so far stays
  // with a key that stays.
  void set(std::vector<api::GatewayKey> keys);
  bool empty() const { return entries_.empty(); }

  // What a request shows: the token of "Authorization: Bearer", or x-api-key. Empty: nothing.
  static std::string_view shown(const net::RequestHead& head);

  // Admits the request and counts it, or says why not: no key or an unknown one (401), not its
  // right (403), its day's requests are used up or too many are under way (429).
  struct Checked {
    KeyStay stay;
    std::optional<Refusal> refusal;
  };
  Checked check(std::string_view shown, Right right, WallTime now);

  // What was used since the last call, of those that were used.
  std::vector<api::UseOfKey> take_changes();

 private:
  std::shared_ptr<KeyEntry> find(std::string_view shown) const;

  std::vector<std::shared_ptr<KeyEntry>> entries_;
};

}  // namespace estiva::gateway
