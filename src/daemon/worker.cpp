#include "daemon/worker.h"

#include <csignal>

namespace estiva::daemon {

Worker::Worker() : state_(std::make_shared<State>()) {
  // Signals belong to the loop's thread.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([state = state_] { serve(state); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Worker::~Worker() {
  std::unique_lock lock(state_->mutex);
  state_->ending = true;
  state_->changed.notify_all();
  const bool ended = state_->changed.wait_for(lock, kPatience, [this] { return state_->ended; });
  lock.unlock();
  if (ended) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

bool Worker::try_run(std::function<void()> job) {
  const std::lock_guard lock(state_->mutex);
  if (state_->job || state_->running || state_->ending) return false;
  state_->job = std::move(job);
  state_->changed.notify_all();
  return true;
}

void Worker::serve(const std::shared_ptr<State>& state) {
  std::unique_lock lock(state->mutex);
  while (true) {
    state->changed.wait(lock, [&] { return state->job || state->ending; });
    if (!state->job) break;
    const std::function<void()> job = std::move(state->job);
    state->job = nullptr;
    state->running = true;
    lock.unlock();
    job();
    lock.lock();
    state->running = false;
  }
  state->ended = true;
  state->changed.notify_all();
}

}  // namespace estiva::daemon
