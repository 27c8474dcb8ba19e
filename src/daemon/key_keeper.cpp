#include "daemon/key_keeper.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/messages/api_keys.h"
#include "format/sha256.h"
#include "format/text.h"
#include "host/files.h"
#include "store/store.h"

namespace estiva::daemon {
namespace {

using net::Awaitable;

// All of them have to fit into one packet to the gateway, beside the models.
constexpr std::size_t kMostKeys = 128;
constexpr std::size_t kMostKeyBytes = 96 << 10;
// A kill -9 loses what was counted for so long.
constexpr Nanoseconds kRememberEvery = std::chrono::seconds(5);
constexpr std::int64_t kDay = std::int64_t{86'400} * 1'000'000'000;

bool is_before(const KeyRecord& a, const KeyRecord& b) {
  return a.spec.name < b.spec.name;
}

}  // namespace

KeyKeeper::KeyKeeper(Parts parts)
    : parts_(std::move(parts)),
      saved_(parts_.loop),
      inbox_(std::make_shared<Inbox>(&parts_.loop)) {}

KeyKeeper::~KeyKeeper() {
  inbox_->close();
}

Result<void> KeyKeeper::load(const std::map<std::string, std::string>& notes) {
  auto records = load_keys(parts_.path);
  if (!records) return Failure(records.error());
  records_ = std::move(*records);
  std::sort(records_.begin(), records_.end(), is_before);
  for (const KeyRecord& record : records_) {
    const auto note = notes.find(key_note(record.spec.name));
    if (note != notes.end()) uses_[record.spec.name] = read_key_use(note->second);
  }
  return {};
}

const KeyRecord* KeyKeeper::find(std::string_view name) const {
  const auto found = std::find_if(records_.begin(), records_.end(),
                                  [name](const auto& record) { return record.spec.name == name; });
  return found == records_.end() ? nullptr : &*found;
}

std::vector<api::GatewayKey> KeyKeeper::for_gateway() const {
  std::vector<api::GatewayKey> keys;
  for (const KeyRecord& record : records_) {
    const api::KeySpec& spec = record.spec;
    const auto use = uses_.find(spec.name);
    const KeyUse used = use == uses_.end() ? KeyUse() : use->second;
    keys.push_back({spec.name, record.sha256, spec.role, spec.requests_a_day, spec.at_once,
                    spec.models, used.day, used.today});
  }
  return keys;
}

std::vector<api::KeyStatus> KeyKeeper::status() const {
  const std::int64_t day = wall_now().ns / kDay;
  std::vector<api::KeyStatus> all;
  for (const KeyRecord& record : records_) {
    api::KeyStatus one;
    one.spec = record.spec;
    one.created = record.created;
    if (const auto found = uses_.find(record.spec.name); found != uses_.end()) {
      const KeyUse& use = found->second;
      one.requests = use.requests;
      one.refused = use.refused;
      one.bytes_in = use.bytes_in;
      one.bytes_out = use.bytes_out;
      one.today = use.day == day ? use.today : 0;
      if (use.last > 0) one.last_used = WallTime{use.last};
    }
    all.push_back(std::move(one));
  }
  return all;
}

// ---- what was used ------------------------------------------------------------------------------

void KeyKeeper::take(const api::UseOfKey& told) {
  if (find(told.key) == nullptr) return;  // revoked meanwhile
  KeyUse& use = uses_[told.key];
  use.requests += told.requests;
  use.refused += told.refused;
  use.bytes_in += told.bytes_in;
  use.bytes_out += told.bytes_out;
  use.day = told.day;
  use.today = told.today;
  if (told.requests > 0) use.last = wall_now().ns;
  unwritten_.insert(told.key);
  if (!writer_) writer_ = parts_.loop.every(kRememberEvery, [this] { remember(); });
}

void KeyKeeper::remember() {
  for (const std::string& name : std::exchange(unwritten_, {})) {
    parts_.store.submit(store::Write::note(key_note(name), to_text(uses_[name])),
                        [](const Result<store::Durable>& saved) {
                          if (saved) return;
                          log(LogLevel::warning, "what a key used could not be written down",
                              {{"error", saved.error().what}});
                        });
  }
  // A handle must not be dropped inside its own call.
  if (writer_) parts_.loop.post([handle = std::exchange(writer_, {})] {});
}

// ---- changes, one after the other ---------------------------------------------------------------

struct KeyKeeper::Saving {
  std::optional<Result<void>> done;
};

Awaitable<void> KeyKeeper::wait_turn() {
  while (is_saving_) (void)co_await saved_.wait();
  is_saving_ = true;
}

void KeyKeeper::end_turn() {
  is_saving_ = false;
  saved_.notify_all();
}

Awaitable<Result<void>> KeyKeeper::save(const std::vector<KeyRecord>& records) {
  const auto saving = std::make_shared<Saving>();
  if (!worker_) worker_ = std::make_unique<Worker>();
  std::function<void()> job = [this, saving, inbox = inbox_, path = parts_.path,
                               text = to_text(records)] {
    auto written = host::write_file_atomic(path, text, 0600);
    inbox->post([this, saving, written = std::move(written)] {
      saving->done = written;
      saved_.notify_all();
    });
  };
  // The thread may not have gone back to its wait yet.
  while (!worker_->try_run(job)) (void)co_await saved_.wait(std::chrono::milliseconds(5));
  while (!saving->done) (void)co_await saved_.wait();
  if (!*saving->done) co_return Failure(saving->done->error().in(msg::kKeyFile));
  co_return Result<void>();
}

Result<void> KeyKeeper::check_new(const api::KeySpec& spec) const {
  if (auto checked = check_key(spec); !checked) return checked;
  if (find(spec.name) != nullptr)
    return fail(ErrorKind::refused, fmt::format(msg::kKeyTaken, spec.name), msg::kKeyTakenRemedy);
  const bool is_full = records_.size() >= kMostKeys ||
                       to_text(records_).size() + to_text({{spec, {}, {}}}).size() > kMostKeyBytes;
  if (is_full)
    return fail(ErrorKind::refused, fmt::format(msg::kKeyMany, records_.size()),
                msg::kKeyManyRemedy);
  return {};
}

// In force only once it is durable: nobody has a key that the next start does not know.
Awaitable<Result<std::string>> KeyKeeper::create(api::KeySpec spec) {
  co_await wait_turn();
  auto checked = check_new(spec);
  auto secret = checked ? make_secret() : Result<std::string>(Failure(checked.error()));
  if (!secret) {
    end_turn();
    co_return Failure(secret.error());
  }
  const std::string name = spec.name, role = spec.role;
  std::vector<KeyRecord> records = records_;
  records.push_back({std::move(spec), format::sha256_hex(*secret), wall_now()});
  std::sort(records.begin(), records.end(), is_before);
  const auto saved = co_await save(records);
  if (saved) {
    records_ = std::move(records);
    uses_[name] = {};
    unwritten_.insert(name);  // a note of an earlier key of the name must not come back
    remember();
    journal(name, fmt::format(msg::kKeyMadeEvent, role));
  }
  end_turn();
  if (!saved) co_return Failure(saved.error());
  parts_.changed();
  co_return std::move(*secret);
}

// In force first: a disk that is full must not keep a stolen key alive.
Awaitable<Result<void>> KeyKeeper::revoke(std::string name) {
  co_await wait_turn();
  if (find(name) == nullptr) {
    end_turn();
    co_return fail(ErrorKind::not_found,
                   fmt::format(msg::kKeyUnknown, format::escape_for_terminal(name.substr(0, 64))),
                   msg::kKeyUnknownRemedy);
  }
  std::erase_if(records_, [&name](const auto& record) { return record.spec.name == name; });
  uses_.erase(name);
  unwritten_.erase(name);
  parts_.changed();
  const auto saved = co_await save(records_);
  end_turn();
  journal(name, msg::kKeyRevokedEvent);
  if (!saved) {
    const Error& why = saved.error();
    co_return fail(why.kind, fmt::format(msg::kKeyRevokedForNow, name) + ": " + why.what,
                   why.remedy);
  }
  co_return Result<void>();
}

void KeyKeeper::journal(const std::string& name, std::string what) {
  parts_.store.submit(store::Write::event(name, std::move(what)),
                      [](const Result<store::Durable>&) {});
}

}  // namespace estiva::daemon
