#include "gpu/nvml_events.h"

#include <algorithm>

namespace estiva::gpu::nvml {
namespace {

// After a failure of the driver's wait: not at once again, and not later than this.
constexpr Nanoseconds kFirstPause = std::chrono::milliseconds(500);
constexpr Nanoseconds kLongestPause = std::chrono::seconds(30);
// Events taken in one go before they are told.
constexpr int kMostAtOnce = 4096;

}  // namespace

// One event set and what came out of it. Only on the thread.
class EventWatch::Listener {
 public:
  Listener(const Functions& f, std::vector<Watched> devices)
      : f_(f), devices_(std::move(devices)) {}
  ~Listener() {
    if (set_ != nullptr) f_.event_set_free(set_);
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // False where no device can be listened to.
  bool open() {
    if (f_.event_set_create(&set_) != kSuccess) {
      set_ = nullptr;
      return false;
    }
    // Asked for alone: with one kind that a GPU lacks none would be registered.
    const auto registered =
        std::count_if(devices_.begin(), devices_.end(), [this](const Watched& device) {
          return f_.event_register(device.handle, kEventXid, set_) == kSuccess;
        });
    return registered > 0;
  }

  // Waits for the next event, and takes what is there with it. False where the set is of no more
  // use.
  bool listen(std::vector<XidReport>& heard) {
    EventData data{};
    int code = f_.event_wait(set_, &data, static_cast<U32>(kTurn.count()));
    for (int i = 0; code == kSuccess && i < kMostAtOnce; ++i) {
      note(data, heard);
      code = f_.event_wait(set_, &data, 0);
    }
    if (code == kSuccess) note(data, heard);
    return code == kSuccess || code == kTimeout;
  }

 private:
  void note(const EventData& data, std::vector<XidReport>& heard) const {
    if (data.type != kEventXid || data.data == 0 || data.data > kMaxXid) return;
    const auto device = std::find_if(devices_.begin(), devices_.end(),
                                     [&data](const Watched& d) { return d.handle == data.device; });
    if (device == devices_.end()) return;
    const auto code = static_cast<unsigned>(data.data);
    const auto same = std::find_if(heard.begin(), heard.end(), [&](const XidReport& one) {
      return one.slot == device->slot && one.code == code;
    });
    if (same != heard.end()) {
      ++same->count;
      return;
    }
    XidReport report;
    report.slot = device->slot;
    report.code = code;
    report.at = steady_now();
    heard.push_back(std::move(report));
  }

  const Functions& f_;
  std::vector<Watched> devices_;
  EventSet set_ = nullptr;
};

void EventWatch::watch(const Functions& f, std::vector<Watched> devices) {
  const bool has_events = f.event_set_create != nullptr && f.event_register != nullptr &&
                          f.event_wait != nullptr && f.event_set_free != nullptr;
  if (!has_events) return;
  const std::lock_guard lock(mutex_);
  if (devices == devices_ && functions_ == &f) return;
  functions_ = &f;
  devices_ = std::move(devices);
  ++generation_;
  changed_.notify_all();
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
}

void EventWatch::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  stopping_ = false;
  functions_ = nullptr;
  devices_.clear();
}

void EventWatch::pause(Nanoseconds most, unsigned generation) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, most, [&] { return stopping_ || generation != generation_; });
}

bool EventWatch::is_current(unsigned generation) {
  const std::lock_guard lock(mutex_);
  return !stopping_ && generation == generation_;
}

void EventWatch::run() {
  std::vector<XidReport> heard;
  Nanoseconds wait = kFirstPause;
  while (true) {
    std::unique_lock lock(mutex_);
    if (stopping_) return;
    const unsigned generation = generation_;
    Listener listener(*functions_, devices_);
    lock.unlock();
    bool works = listener.open();
    while (works && is_current(generation)) {
      works = listener.listen(heard);
      if (!heard.empty() && tell_(heard)) heard.clear();
      if (works) wait = kFirstPause;
    }
    if (works) continue;
    pause(wait, generation);
    wait = std::min(wait * 2, kLongestPause);
  }
}

}  // namespace estiva::gpu::nvml
