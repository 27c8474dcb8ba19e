#include "store/store.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <errno.h>
#include <fmt/format.h>
#include <mutex>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <thread>

#include "base/messages/store.h"
#include "store/database.h"
#include "store/lock_file.h"

namespace estiva::store {
namespace {

// What may wait in memory, and what one transaction may carry, whatever the counts allow.
constexpr std::size_t kQueueBytes = 32 * 1024 * 1024;
constexpr std::size_t kBatchBytes = 4 * 1024 * 1024;
// Rows above the limit before a trim is worth its transaction; and how many trims follow a batch.
constexpr std::uint64_t kTrimSlack = 256;
constexpr int kTrimsABatch = 4;
constexpr std::size_t kTrimBytes = 1024 * 1024;
constexpr std::uint64_t kTrimBatches = 64;
constexpr std::size_t kMostBatch = 4096;

// Either of the two kinds of callback, so that both can be turned away the same way.
struct Callback {
  Done done;
  JournalDone read;

  void refuse(const Error& error) const {
    if (done) done(Failure(error));
    if (read) read(Failure(error));
  }
};

struct Job {
  std::optional<Write> write;  // absent: a read of the journal
  JournalQuery query;
  Callback callback;
  std::size_t bytes = 0;
};

// What the worker holds at a moment: writes in order, or one read.
struct Batch {
  std::vector<Write> writes;
  std::optional<JournalQuery> query;
  std::size_t bytes = 0;
  bool empty() const { return writes.empty() && !query; }
};

std::size_t weight(const Write& write) {
  std::size_t bytes = 256 + write.text.size() + write.subject.size();
  if (write.lease) bytes += write.lease->shares.size() * 96;
  if (write.decision) bytes += write.decision->request.size() + write.decision->outcome.size();
  return bytes;
}

Error busy_error(const Place& place, std::size_t waiting) {
  return {ErrorKind::refused,
          fmt::format(msg::kStoreBusy, fmt::arg("waiting", waiting), fmt::arg("dir", place.dir)),
          msg::kStoreBusyRemedy};
}

Error closed_error() {
  return {ErrorKind::refused, msg::kStoreClosed, msg::kStoreClosedRemedy};
}

Error abandoned_error(const Place& place) {
  return {ErrorKind::timed_out, fmt::format(msg::kStoreAbandoned, fmt::arg("dir", place.dir)),
          msg::kStoreAbandonedRemedy};
}

// mkdir -p with 0700; what exists stays as it is.
Result<void> make_folder(const Place& place) {
  for (std::size_t at = place.dir.find('/', 1);; at = place.dir.find('/', at + 1)) {
    const std::string part = place.dir.substr(0, at);
    if (mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
      struct stat info = {};
      const int number = errno;
      if (stat(part.c_str(), &info) != 0) return Failure(folder_error(place, "made", number));
    }
    if (at == std::string::npos) return {};
  }
}

}  // namespace

// Shared by the store's thread and the callers; the thread keeps it alive, so that a disk that
// never answers can be left behind.
struct Store::Impl : std::enable_shared_from_this<Store::Impl> {
  Impl(Place where, Options wanted)
      : place(std::move(where)), options(std::move(wanted)), gate(options.crash) {}

  const Place place;
  const Options options;
  Opened opened;
  LockFile lock;
  std::unique_ptr<Database> database;  // the worker's alone once it runs
  CrashGate gate;

  std::mutex mutex;
  std::condition_variable wake, finish;
  std::deque<Job> queue;            // guarded
  std::vector<Callback> in_flight;  // guarded; of the batch the worker has
  std::size_t queued_bytes = 0;     // guarded
  bool closing = false, abandoned = false, finished = false;  // guarded

  std::atomic<std::uint64_t> submitted = 0, refused = 0, committed = 0, failed = 0, batches = 0,
                             journal_rows = 0, trim_failures = 0;
  std::thread worker;

  void enqueue(Job job);
  void post(std::function<void()> run) const;
  void work();
  bool take(Batch& batch);
  bool fits(const Batch& batch, const Job& job) const;
  void write_batch(Batch& batch);
  std::vector<Result<Durable>> apply_all(const std::vector<Write>& writes);
  void deliver(std::vector<Result<Durable>> results);
  void read(const JournalQuery& query);
  bool take_callbacks(std::vector<Callback>& callbacks);
  void trim(std::size_t bytes);
  bool close(std::chrono::milliseconds deadline);

  std::size_t bytes_since_trim = 0;                 // worker only
  std::uint64_t batches_since_trim = kTrimBatches;  // worker only; the first batch trims by age
};

void Store::Impl::post(std::function<void()> run) const {
  if (options.executor) {
    options.executor(std::move(run));
  } else {
    run();
  }
}

void Store::Impl::enqueue(Job job) {
  std::optional<Error> error;
  {
    const std::lock_guard guard(mutex);
    const std::size_t waiting = queue.size() + in_flight.size();
    if (closing) {
      error = closed_error();
    } else if (waiting >= options.queue_limit || queued_bytes + job.bytes > kQueueBytes) {
      error = busy_error(place, waiting);
    } else {
      queued_bytes += job.bytes;
      queue.push_back(std::move(job));
      submitted.fetch_add(1, std::memory_order_relaxed);
    }
  }
  if (!error) {
    wake.notify_one();
    return;
  }
  refused.fetch_add(1, std::memory_order_relaxed);
  // Refused, so nothing above moved it. NOLINTNEXTLINE(bugprone-use-after-move)
  post([callback = std::move(job.callback), error = std::move(*error)] { callback.refuse(error); });
}

bool Store::Impl::fits(const Batch& batch, const Job& job) const {
  if (batch.empty()) return true;
  return job.write && !batch.query && batch.writes.size() < options.batch_limit &&
         batch.bytes + job.bytes <= kBatchBytes;
}

// Waits for work; false when there will be none any more.
bool Store::Impl::take(Batch& batch) {
  batch = Batch{};
  std::unique_lock guard(mutex);
  wake.wait(guard, [&] { return !queue.empty() || closing; });
  while (!queue.empty() && fits(batch, queue.front())) {
    Job& job = queue.front();
    in_flight.push_back(std::move(job.callback));
    batch.bytes += job.bytes;
    if (job.write) {
      batch.writes.push_back(std::move(*job.write));
    } else {
      batch.query = job.query;
    }
    queue.pop_front();
  }
  queued_bytes -= batch.bytes;
  return !batch.empty();
}

void Store::Impl::work() {
  pthread_setname_np(pthread_self(), "estiva-store");
  sigset_t all;  // signals are the loop's business
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  Batch batch;
  while (take(batch)) {
    if (batch.query) {
      read(*batch.query);
    } else {
      write_batch(batch);
    }
  }
  database.reset();  // checkpoints; the lock is released after it
  lock = LockFile();
  const std::lock_guard guard(mutex);
  finished = true;
  finish.notify_all();
}

// One transaction for all of them. A write that is refused leaves the others; a disk that fails
// takes the whole batch, and each is told so.
std::vector<Result<Durable>> Store::Impl::apply_all(const std::vector<Write>& writes) {
  std::vector<Result<Durable>> results;
  results.reserve(writes.size());
  gate.pass(CrashPoint::before_begin);
  Result<void> done = database->begin();
  if (done) gate.pass(CrashPoint::after_begin);
  const WallTime now = options.wall();
  for (const Write& write : writes) {
    if (!done) break;
    results.push_back(database->apply(write, now, gate));
    if (database->broken()) done = Failure(results.back().error());
  }
  if (done) done = database->commit(gate);
  if (done) return results;
  database->rollback();
  return std::vector<Result<Durable>>(writes.size(), Failure(done.error()));
}

void Store::Impl::write_batch(Batch& batch) {
  auto results = apply_all(batch.writes);
  std::uint64_t good = 0;
  for (const auto& result : results) good += result.has_value();
  committed.fetch_add(good, std::memory_order_relaxed);
  failed.fetch_add(results.size() - good, std::memory_order_relaxed);
  if (good > 0) batches.fetch_add(1, std::memory_order_relaxed);
  deliver(std::move(results));
  trim(batch.bytes);
}

// False where close() has answered them already.
bool Store::Impl::take_callbacks(std::vector<Callback>& callbacks) {
  const std::lock_guard guard(mutex);
  callbacks.swap(in_flight);
  in_flight.clear();
  return !abandoned;
}

void Store::Impl::deliver(std::vector<Result<Durable>> results) {
  std::vector<Callback> callbacks;
  if (!take_callbacks(callbacks)) return;
  struct Delivery {
    std::vector<Callback> callbacks;
    std::vector<Result<Durable>> results;
  };
  auto delivery = std::make_shared<Delivery>(std::move(callbacks), std::move(results));
  // The closure may outlive the store's last member but not the Impl it holds.
  post([self = shared_from_this(), delivery] {
    self->gate.pass(CrashPoint::before_callback);
    for (std::size_t i = 0; i < delivery->callbacks.size(); ++i) {
      if (delivery->callbacks[i].done) delivery->callbacks[i].done(std::move(delivery->results[i]));
    }
    self->gate.pass(CrashPoint::after_callback);
  });
}

void Store::Impl::read(const JournalQuery& query) {
  auto records =
      std::make_shared<Result<std::vector<JournalRecord>>>(database->read_journal(query));
  std::vector<Callback> callbacks;
  if (!take_callbacks(callbacks)) return;
  post([callbacks = std::move(callbacks), records] {
    for (const Callback& callback : callbacks) {
      if (callback.read) callback.read(std::move(*records));
    }
  });
}

void Store::Impl::trim(std::size_t bytes) {
  bytes_since_trim += bytes;
  const bool due = ++batches_since_trim >= kTrimBatches || bytes_since_trim >= kTrimBytes;
  for (int i = 0; i < kTrimsABatch; ++i) {
    if (!(due && i == 0) && database->journal_rows() <= options.journal_rows + kTrimSlack) break;
    if (!database->trim_journal(options.wall())) {
      trim_failures.fetch_add(1, std::memory_order_relaxed);
      break;
    }
  }
  if (due) bytes_since_trim = batches_since_trim = 0;
  journal_rows.store(database->journal_rows(), std::memory_order_relaxed);
}

bool Store::Impl::close(std::chrono::milliseconds deadline) {
  std::vector<Callback> left;
  {
    std::unique_lock guard(mutex);
    closing = true;
    wake.notify_all();
    finish.wait_for(guard, deadline, [&] { return finished; });
    if (!finished && !abandoned) {
      abandoned = true;
      left.swap(in_flight);
      for (Job& job : queue) left.push_back(std::move(job.callback));
      queue.clear();
      queued_bytes = 0;
    }
  }
  if (!left.empty()) {
    failed.fetch_add(left.size(), std::memory_order_relaxed);
    post([left = std::move(left), error = abandoned_error(place)] {
      for (const Callback& callback : left) callback.refuse(error);
    });
  }
  const std::lock_guard guard(mutex);
  return finished && !abandoned;
}

Result<std::unique_ptr<Store>> Store::open(const std::string& dir, Options options) {
  Place place{dir, dir + "/estiva.db"};
  if (options.batch_limit == 0 || options.batch_limit > kMostBatch)
    options.batch_limit = kMostBatch;
  auto impl = std::make_shared<Impl>(place, std::move(options));
  if (auto made = make_folder(place); !made) return Failure(made.error());
  auto lock = LockFile::take(place);
  if (!lock) return Failure(lock.error());
  impl->lock = std::move(*lock);
  if (impl->options.fresh_state) {
    auto moved = set_aside(place, impl->options.wall());
    if (!moved) return Failure(moved.error());
    impl->opened.set_aside = *moved;
  }
  auto database = Database::open(place, impl->options, current_schema(), impl->opened);
  if (!database) return Failure(database.error());
  impl->database = std::move(*database);
  impl->journal_rows = impl->database->journal_rows();
  impl->worker = std::thread([impl] { impl->work(); });
  return std::unique_ptr<Store>(new Store(std::move(impl)));
}

Store::Store(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Store::~Store() {
  close(std::chrono::seconds(2));
  bool finished = false;
  {
    const std::lock_guard guard(impl_->mutex);
    finished = impl_->finished;
  }
  if (finished) {
    impl_->worker.join();
  } else {
    impl_->worker.detach();  // stuck in the kernel; it holds what it needs
  }
}

const Opened& Store::opened() const {
  return impl_->opened;
}

void Store::submit(Write write, Done done) {
  Job job;
  job.bytes = weight(write);
  job.write = std::move(write);
  job.callback.done = done ? std::move(done) : [](const Result<Durable>&) {};
  impl_->enqueue(std::move(job));
}

void Store::read_journal(JournalQuery query, JournalDone done) {
  Job job;
  job.query = query;
  job.callback.read = std::move(done);
  impl_->enqueue(std::move(job));
}

Stats Store::stats() const {
  Stats stats;
  stats.submitted = impl_->submitted;
  stats.refused = impl_->refused;
  stats.committed = impl_->committed;
  stats.failed = impl_->failed;
  stats.batches = impl_->batches;
  stats.journal_rows = impl_->journal_rows;
  stats.trim_failures = impl_->trim_failures;
  const std::lock_guard guard(impl_->mutex);
  stats.waiting = impl_->queue.size() + impl_->in_flight.size();
  return stats;
}

bool Store::close(std::chrono::milliseconds deadline) {
  return impl_->close(deadline);
}

}  // namespace estiva::store
